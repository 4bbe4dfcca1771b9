import { createReadStream } from 'node:fs'
import { packProof } from '../../attestations/proof/pack-proof.ts'
import type { Carried, CarriedMember, ProofContent } from '../../attestations/proof/proof.ts'
import { ROLE_LIMITS, type Role } from '../../attestations/proof/roles.ts'
import { isSignedBy } from '../../attestations/verify/signed-by.ts'
import { type BuilderImage, encodeBuilder } from '../../verifier/builder/image-description.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { namedChunks, readNamedFile } from '../../verifier/bytes/named-file.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { MAX_LOCK_BYTES } from '../../verifier/model/lock.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import type { Verdict } from '../../verifier/model/verdict.ts'
import type { PinnedTree } from '../../verifier/source/pinned-tree.ts'
import { writeArchiveFile } from '../../verifier/tar/archive-file.ts'
import { bundlesIn } from './bundle-documents.ts'
import { type CarriedFile, carriedInputs, carriedSource } from './carried-files.ts'
import { EXPORT_REPORT_SCHEMA, type ExportReport } from './export-report.ts'
import type { ScratchFolder } from './ports.ts'
import { readReport } from './read-report.ts'
import { wholeBlob } from './whole-blob.ts'

/** Paths are the caller's. */
export type ExportProofCommand = {
  readonly report: string
  /** Files of bundles, proofs among them. */
  readonly bundles: readonly string[]
  /** PEM, and trusted_root.json: to lie in the proof for whoever checks by hand. */
  readonly publicKey: string | null
  readonly trustedRoot: string | null
  /** The report's lock; null: as it was stored when the report was made. */
  readonly lock: string | null
  readonly sbom: string | null
  /** `inputs.tar` of the lock. */
  readonly inputs: string | null
  /** The source that was built, as `verify` takes it. */
  readonly source: string | null
  readonly output: string
  readonly signal: AbortSignal
}

/** What exporting needs from around it; no engine. */
export interface ExportProofPorts {
  readonly blobs: BlobStore
  scratch(): Promise<ScratchFolder>
  /** A builder that is known here, by its digest. Fails with `builder-unknown`. */
  knownBuilder(digest: Sha256): Promise<BuilderImage>
  pin(source: string, scratch: string, signal: AbortSignal): Promise<PinnedTree>
}

/**
 * Puts a report, what was signed of it and what it takes to rebuild into one file, which appears whole or not at all. Nothing is written that
 * a reader would refuse. Failures: those of reading, `lock-not-at-hand`, `builder-unknown`, `source-of-another-report`,
 * `inputs-of-another-lock`, `key-of-another-signer`, `proof-unwritten`, and those of `packProof`.
 */
export async function exportProof(ports: ExportProofPorts, command: ExportProofCommand): Promise<ExportReport> {
  const { signal } = command
  const { report, sha256, bytes } = await readReport(command.report, signal)
  const bundles = await bundlesOf(command)
  const small = (file: string | null, role: Role, what: string) =>
    file === null ? null : readNamedFile(file, { what, maxBytes: ROLE_LIMITS[role], signal })
  const publicKey = await small(command.publicKey, 'public-key', 'the public key')
  if (publicKey !== null && !bundles.some((bundle) => isSignedBy(bundle, publicKey.toString('utf8')))) throw keyOfAnother()
  const lock = await lockOf(report, ports.blobs, command)
  await using scratch = await ports.scratch()
  const pin = (source: string) => carriedSource((...args) => ports.pin(...args), { source, report, scratch: scratch.path, signal })
  const source = command.source === null ? null : await pin(command.source)
  const inputs = command.inputs === null ? null : await carriedInputs(command.inputs, { lock, signal })
  const content: ProofContent = {
    report: bytes,
    bundles,
    publicKey,
    trustedRoot: await small(command.trustedRoot, 'trusted-root', 'the trusted root'),
    lock,
    builder: await builderOf(report, ports),
    treeManifests: await manifestsOf(report, ports.blobs),
    sbom: await small(command.sbom, 'sbom', 'the bill of materials'),
    source: carried(source),
    inputs: carried(inputs),
  }
  const { members, bytes: proof } = pack(content, opener(ports.blobs, { source, inputs, signal }))
  return {
    schema: EXPORT_REPORT_SCHEMA,
    verdict: 'exported',
    ...(await write(command.output, proof, signal)),
    // A report without a verdict is not packed.
    report: { sha256, verdict: report.verdict as Verdict, tier: report.tier },
    members: [...members],
    leftOut: leftOut(content, report),
  }
}

/** Of all files, each bundle once. */
async function bundlesOf({ bundles, signal }: ExportProofCommand): Promise<readonly Uint8Array[]> {
  const found = new Map<Sha256, Uint8Array>()
  for (const file of bundles)
    for (const bundle of await bundlesIn(namedChunks(file, { what: 'a bundle', signal }))) found.set(digestOf(bundle), bundle)
  return [...found.values()]
}

async function lockOf({ lock }: VerificationReport, blobs: BlobStore, command: ExportProofCommand): Promise<Uint8Array | null> {
  if (lock === null) return null
  if (command.lock !== null)
    return await readNamedFile(command.lock, { what: 'the input lock', maxBytes: MAX_LOCK_BYTES, signal: command.signal })
  if ((await blobs.size(lock)) !== undefined) return await wholeBlob(blobs, lock)
  throw new Failure({
    code: 'lock-not-at-hand',
    message: 'the input lock that the report names is not stored here',
    hint: 'give it: --lock inputs.lock.json; or export where it was verified',
    data: { lock },
  })
}

async function builderOf({ builder }: VerificationReport, ports: ExportProofPorts): Promise<ProofContent['builder']> {
  if (builder === null) return null
  const image = await ports.knownBuilder(builder.digest)
  return { description: Buffer.from(encodeBuilder(image)), lock: await wholeBlob(ports.blobs, image.lock) }
}

/** Those that are stored here, and no larger than a proof takes. */
async function manifestsOf(report: VerificationReport, blobs: BlobStore): Promise<Carried[]> {
  const manifests: Carried[] = []
  for (const sha256 of manifestsNamed(report)) {
    const size = await blobs.size(sha256)
    if (size !== undefined && size <= ROLE_LIMITS['tree-manifest']) manifests.push({ sha256, size })
  }
  return manifests
}

function manifestsNamed({ attempts }: VerificationReport): ReadonlySet<Sha256> {
  return new Set(
    attempts.flatMap(({ artifacts }) => artifacts.flatMap(({ treeManifest }) => (treeManifest === null ? [] : [treeManifest]))),
  )
}

function carried(file: CarriedFile | null): Carried | null {
  return file === null ? null : { sha256: file.sha256, size: file.size }
}

function opener(
  blobs: BlobStore,
  { source, inputs, signal }: { readonly source: CarriedFile | null; readonly inputs: CarriedFile | null; readonly signal: AbortSignal },
): Opener {
  const files: Readonly<Record<CarriedMember['role'], string | undefined>> = {
    source: source?.file,
    inputs: inputs?.file,
    'tree-manifest': undefined,
  }
  return async ({ role, sha256 }) => {
    const file = files[role]
    return file === undefined ? await blobs.open(sha256) : createReadStream(file, { highWaterMark: 1 << 20, signal })
  }
}

type Opener = Parameters<typeof packProof>[1]

/** What does not belong together is told to whoever put it together. */
function pack(content: ProofContent, open: Opener): ReturnType<typeof packProof> {
  try {
    return packProof(content, open)
  } catch (cause) {
    if (!(cause instanceof Failure) || !cause.code.startsWith('proof-')) throw cause
    const { code, message, data } = cause
    throw new Failure({ code, message, data, hint: 'give a report with the bundles, lock and bill that were made of it', cause })
  }
}

function leftOut(content: ProofContent, report: VerificationReport): ExportReport['leftOut'] {
  return [
    ...(content.source === null && report.source.kind === 'archive' ? (['source'] as const) : []),
    ...(content.inputs === null && report.lock !== null ? (['inputs'] as const) : []),
    ...(content.treeManifests.length < manifestsNamed(report).size ? (['tree-manifest'] as const) : []),
  ]
}

async function write(output: string, proof: AsyncIterable<Uint8Array>, signal: AbortSignal) {
  try {
    return await writeArchiveFile(output, proof, signal)
  } catch (cause) {
    signal.throwIfAborted()
    const { code } = cause as NodeJS.ErrnoException
    if (cause instanceof Failure || !['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'EROFS'].includes(code ?? '')) throw cause
    throw new Failure({
      code: 'proof-unwritten',
      message: 'the proof cannot be written',
      hint: 'name a file in a folder that is there',
      cause,
    })
  }
}

function keyOfAnother(): Failure {
  return new Failure({
    code: 'key-of-another-signer',
    message: 'none of the bundles is signed with the public key that was given',
    hint: 'give the key.pub that attest wrote beside the bundles, or none',
  })
}
