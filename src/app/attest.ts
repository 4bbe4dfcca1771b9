import { randomUUID } from 'node:crypto'
import { sbomStatement } from '../../attestations/sbom/statement.ts'
import { bareEnvelope, certifiedIn } from '../../attestations/sign/bundle-parts.ts'
import type { SignOptions, StatementSigner } from '../../attestations/sign/statement-signer.ts'
import { encodeStatement } from '../../attestations/statement/encode.ts'
import { KIND_NAMES } from '../../attestations/statement/predicate-types.ts'
import type { Statement } from '../../attestations/statement/statement.ts'
import { statementsOf } from '../../attestations/statement/statements.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import type { Verdict } from '../../verifier/model/verdict.ts'
import { ATTESTATION_SET_SCHEMA, type AttestationSet } from './attestation-set.ts'
import { cosignCommand } from './cosign-command.ts'
import { requireEmpty, writeOutput } from './output-folder.ts'
import { readKnownLock, readReport } from './read-report.ts'
import { readSbom } from './read-sbom.ts'

export type AttestCommand = {
  /** File of a verification report. */
  readonly report: string
  /** Folder to write to: made, and to be empty. */
  readonly output: string
  /** Who had it verified, if somebody did; the signer must be somebody else. */
  readonly owner: string | null
  /** File of the report's input lock, so that the provenance names each input; null: its digest stands for them. */
  readonly lock: string | null
  /** File of a bill of materials of the image that was rebuilt, to be signed as well. */
  readonly sbom: string | null
  /** Whether to write the bare envelopes as well; with a key only. */
  readonly envelopes: boolean
  readonly signal: AbortSignal
}

export type AttestPorts = {
  readonly signer: StatementSigner
  /** Whether a key signs, which an envelope alone can be checked with. */
  readonly keyed: boolean
  /** First part of the builder ids of what is signed. */
  readonly builderBase: string
  /** Bytes of the trusted root that bundles verify with, to lie beside them. */
  readonly trustedRoot: Uint8Array | null
}

type Attestation = AttestationSet['attestations'][number]
type Signer = AttestationSet['signer']
type Signed = { readonly name: string; readonly statement: Statement; readonly bundle: string; readonly stages: Attestation['stages'] }

const PUBLIC_KEY = 'key.pub'
const TRUSTED_ROOT = 'trusted_root.json'

/**
 * Signs all statements that a report gives rise to, and writes their bundles with what is needed to check them. Nothing is written unless
 * everything was signed. Failures: `envelope-without-key`, those of reading (`readReport`), of the statements (`verdict-not-attestable` for
 * what stayed undecided) and of the signer.
 */
export async function attest(ports: AttestPorts, command: AttestCommand): Promise<AttestationSet> {
  if (command.envelopes && !ports.keyed)
    throw new Failure({
      code: 'envelope-without-key',
      message: 'an envelope alone has no certificate, so that nobody could check what an identity signed',
      hint: 'leave --dsse out, or sign with a key',
    })
  await requireEmpty(command.output)
  const { report, sha256 } = await readReport(command.report, command.signal)
  const lock = command.lock === null ? undefined : await readKnownLock(command.lock, command.signal)
  const context = {
    builderBase: ports.builderBase,
    owner: command.owner,
    operator: null,
    worker: null,
    invocationId: `urn:uuid:${randomUUID()}`,
    reportDigest: sha256,
  }
  const repository = report.source.kind === 'git' ? report.source.url : null
  const statements = [...statementsOf(report, context, lock), ...(await billOf(command, report))]
  const signed: Signed[] = []
  for (const statement of statements)
    signed.push(await signStatement(ports, statement, { signal: command.signal, owner: command.owner, repository }))
  const { signer, files } = await describeSigner(ports, signed, command.signal)
  const attestations = signed.map((one) => describe(one, signer, ports.trustedRoot !== null, command.envelopes))
  for (const { name, bundle } of signed) {
    files.set(`${name}.sigstore.json`, bundle)
    if (command.envelopes) files.set(`${name}.dsse.json`, bareEnvelope(bundle))
  }
  await writeOutput(command.output, files)
  return {
    schema: ATTESTATION_SET_SCHEMA,
    verdict: 'signed',
    // No statement is made of a report without a verdict.
    report: { sha256, verdict: report.verdict as Verdict, tier: report.tier },
    signer,
    trustedRoot: ports.trustedRoot === null ? null : TRUSTED_ROOT,
    attestations,
  }
}

/** The bill is looked for after the report was found to be one that can be attested. */
async function billOf({ sbom, signal }: AttestCommand, report: VerificationReport): Promise<Statement[]> {
  if (sbom === null) return []
  const { image, text } = await readSbom(sbom, report, signal)
  return [sbomStatement(image, text)]
}

async function signStatement({ signer }: AttestPorts, statement: Statement, o: Omit<SignOptions, 'onStage'>): Promise<Signed> {
  const stages: Signed['stages'] = []
  const bundle = await signer.sign(encodeStatement(statement), { ...o, onStage: (name, ms) => stages.push({ name, ms }) })
  return { name: KIND_NAMES.get(statement.predicateType) ?? 'statement', statement, bundle, stages }
}

/** Who signed, as the bundles say it, and the files that go with that. */
async function describeSigner(
  { signer, trustedRoot }: AttestPorts,
  [first]: readonly Signed[],
  signal: AbortSignal,
): Promise<{ signer: Signer; files: Map<string, string | Uint8Array> }> {
  const files = new Map<string, string | Uint8Array>()
  if (trustedRoot !== null) files.set(TRUSTED_ROOT, trustedRoot)
  const certified = first === undefined ? undefined : certifiedIn(first.bundle)
  if (certified !== undefined) {
    const { issuer, subjectAlternativeName } = certified
    return { signer: { kind: 'sigstore', issuer, subjectAlternativeName }, files }
  }
  const identity = await signer.identity(signal)
  if (identity.kind === 'sigstore') throw new TypeError('a bundle without its certificate')
  files.set(PUBLIC_KEY, identity.publicKey)
  return { signer: { kind: 'key', fingerprint: identity.fingerprint, publicKey: PUBLIC_KEY }, files }
}

function describe({ name, statement, bundle, stages }: Signed, signer: Signer, rooted: boolean, envelopes: boolean): Attestation {
  const file = `${name}.sigstore.json`
  const subjects = statement.subject.map((subject) => ({ name: subject.name, sha256: subject.digest.sha256 }))
  const [subject] = statement.subject
  if (subject === undefined) throw new TypeError('a statement about nothing')
  const check = cosignCommand({
    bundle: file,
    predicateType: statement.predicateType,
    subject: subject.digest.sha256,
    signer: signer.kind === 'key' ? { ...signer, timestamped: stages.some((stage) => stage.name === 'tsa') } : signer,
    trustedRoot: rooted ? TRUSTED_ROOT : null,
  })
  const sha256 = digestOf(bundle)
  const envelope = envelopes ? `${name}.dsse.json` : null
  return { predicateType: statement.predicateType, subjects, file, sha256, check, envelope, stages }
}
