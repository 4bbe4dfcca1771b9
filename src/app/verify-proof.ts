import type { Proof } from '../../attestations/proof/proof.ts'
import type { SignerPolicy } from '../../attestations/verify/policy.ts'
import type { BuilderImage } from '../../verifier/builder/image-description.ts'
import type { EmitEvent } from '../../verifier/model/event.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { encodeLock } from '../../verifier/model/lock.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import type { Verdict } from '../../verifier/model/verdict.ts'
import type { PinnedTree } from '../../verifier/source/pinned-tree.ts'
import { sourceOfAnother } from './carried-files.ts'
import { compareReports } from './compare-reports.ts'
import { type OpenedProof, openProof } from './open-proof.ts'
import type { Ports, ScratchFolder } from './ports.ts'
import { PROOF_CHECK_SCHEMA, type ProofCheckDocument } from './proof-check.ts'
import { addressOf, claimsOfProof, requireAgreement, type Said } from './proof-question.ts'
import type { RebuildCommand } from './rebuild.ts'
import { verify } from './verify.ts'
import { type TrustedRootChoice, type VerifyAttestationPorts, verifyAttestations } from './verify-attestation.ts'

export type VerifyProofCommand = Omit<RebuildCommand, 'source'> &
  Said & {
    /** Path or URL. */
    readonly proof: string
    /** The source, from elsewhere than the proof; it has to be the same. */
    readonly source: string | null
    /** Who must have signed, from elsewhere than the proof; null: nobody said. */
    readonly signer: { readonly policy: SignerPolicy & { readonly maxAgeSeconds?: number }; readonly trustedRoot: TrustedRootChoice } | null
  }

/** What rebuilding a proof needs beside what rebuilding needs. */
export type ProofRebuildPorts = Ports & {
  /** Makes a builder from its lock where it is not here. Failures: `builder-definition-differs`, `builder-differs`, those of making. */
  bringBuilder(
    image: BuilderImage,
    o: { readonly lock: string; readonly emit: EmitEvent; readonly signal: AbortSignal },
  ): Promise<'at-hand' | 'made'>
}

export interface VerifyProofPorts {
  scratch(): Promise<ScratchFolder>
  /** Brings a proof, from a path or a URL, and gives where it lies: there, or in the folder. */
  fetchProof(o: { readonly location: string; readonly folder: string; readonly signal: AbortSignal }): Promise<string>
  readonly attestations: VerifyAttestationPorts
  /** Asked for once it is known that something is to be rebuilt. */
  rebuilding(): Promise<ProofRebuildPorts>
}

/**
 * Takes source, builder, lock, inputs and claims from a proof, rebuilds here, and says whether that comes to what the proof says. Nothing is
 * rebuilt where the proof is not signed by whom was asked for. Failures: those of reading the proof, `flag-contradicts-proof`,
 * `proof-source-missing`, `source-of-another-report`, and those of `verify`.
 */
export async function verifyProof(ports: VerifyProofPorts, command: VerifyProofCommand): Promise<ProofCheckDocument> {
  const { signal } = command
  await using scratch = await ports.scratch()
  const file = await ports.fetchProof({ location: command.proof, folder: scratch.path, signal })
  const opened = await openProof(file, scratch.path, signal)
  const { proof } = opened
  await requireAgreement(proof, command)
  const source = command.source ?? opened.files.source ?? addressOf(proof.report.source)
  if (source === null) throw sourceMissing()
  const attestation = await attestationOf(proof, ports.attestations, command)
  const said = describe(opened, attestation)
  if (attestation.result === 'fail')
    return { ...said, verdict: 'rejected', tier: null, agreement: 'unknown', differences: [], builder: null, report: null }
  let builder: ProofCheckDocument['builder'] = null
  const rebuilding = forProof(await ports.rebuilding(), { opened, command, onBuilder: (origin) => void (builder = origin) })
  const report = await verify(rebuilding, {
    ...command,
    source,
    lock: command.lock ?? opened.files.lock,
    inputs: command.inputs ?? opened.files.inputs,
    builder: proof.builder?.digest ?? null,
    snapshot: null,
    claims: claimsOfProof(proof),
  })
  return { ...said, verdict: report.verdict, tier: report.tier, ...compareReports(proof.report, report), builder, report }
}

/** A key or a trusted root in the proof is not looked at here: whoever makes a false one puts their own in. */
async function attestationOf(
  proof: Proof,
  ports: VerifyAttestationPorts,
  { signer, signal }: VerifyProofCommand,
): Promise<ProofCheckDocument['attestation']> {
  const [claim] = proof.report.claims
  if (signer === null || claim === undefined)
    return { result: 'skip', message: 'nobody said who must have signed: what the proof says is nobody’s word', check: null }
  const bundles = proof.attestations.filter(({ predicateType }) => predicateType === proof.verdictType).map(({ bundle }) => bundle)
  const check = await verifyAttestations(ports, {
    source: { kind: 'bundles', bundles },
    // Every claim is a subject of each: the proof was refused otherwise.
    artifact: { digest: claim.sha256 },
    policy: { ...signer.policy, predicateType: proof.verdictType },
    trustedRoot: signer.trustedRoot,
    signal,
  })
  return { result: check.verdict === 'verified' ? 'pass' : 'fail', message: check.message, check }
}

function describe(
  { proof, sha256, size, files }: OpenedProof,
  attestation: ProofCheckDocument['attestation'],
): Pick<ProofCheckDocument, 'schema' | 'proof' | 'attestation'> {
  const { report, reportDigest } = proof
  return {
    schema: PROOF_CHECK_SCHEMA,
    proof: {
      sha256,
      size,
      report: reportDigest,
      // A report without one is refused.
      verdict: report.verdict as Verdict,
      tier: report.tier,
      source: files.source !== null,
      inputs: files.inputs !== null,
    },
    attestation,
  }
}

/** The same ports, which give the proof's builder and take no other source than the proof's. */
function forProof(
  ports: ProofRebuildPorts,
  o: {
    readonly opened: OpenedProof
    readonly command: VerifyProofCommand
    readonly onBuilder: (origin: 'at-hand' | 'made') => void
  },
): Ports {
  const { proof, files } = o.opened
  const { builder: image, report } = proof
  const held = o.command.source !== null || files.source !== null
  return {
    ...ports,
    reader: async () => ({ ...(await ports.reader(null)), ...(image === null ? {} : { mkosi: image.mkosi }) }),
    readInputs: async (file, signal) => {
      const lock = await ports.readInputs(file, signal)
      if (file === files.inputs && proof.lock !== null && encodeLock(lock) !== encodeLock(proof.lock)) throw inputsDiffer()
      return lock
    },
    pin: async (...args) => (held ? await pinOnly(await ports.pin(...args), report, files.source === args[0]) : await ports.pin(...args)),
    builder: async (wanted, emit, signal) => {
      if (image !== null && files.builderLock !== null)
        o.onBuilder(await ports.bringBuilder(image, { lock: files.builderLock, emit, signal }))
      return await ports.builder(wanted, emit, signal)
    },
  }
}

/** A repository by its address may have another tree than the report says: that is a disagreement, and found by rebuilding it. */
async function pinOnly(pinned: PinnedTree, report: VerificationReport, carried: boolean): Promise<PinnedTree> {
  const { treeDigest } = pinned.pinned
  if (treeDigest === report.source.treeDigest) return pinned
  await pinned[Symbol.asyncDispose]()
  if (!carried) throw sourceOfAnother(treeDigest, report)
  throw new Failure({
    code: 'proof-source-differs',
    message: 'the source in the proof is not the one that its report is about',
    hint: 'take the proof again from who made it; do not rely on this one',
    data: { expected: report.source.treeDigest, actual: treeDigest },
  })
}

function inputsDiffer(): Failure {
  return new Failure({
    code: 'proof-inputs-differ',
    message: 'the inputs in the proof are of another lock than the one in it',
    hint: 'take the proof again from who made it; do not rely on this one',
  })
}

function sourceMissing(): Failure {
  return new Failure({
    code: 'proof-source-missing',
    message: 'the proof is about a source that has no public address, and does not carry it',
    hint: 'give the source before --from, as whoever made the proof has it; it is held against the digest in the proof',
  })
}
