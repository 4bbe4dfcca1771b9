import { readBlob } from '../../../verifier/builder/image-archive.ts'
import { partsOfBuilder, storedBuilder } from '../../../verifier/builder/image-check.ts'
import { parseLock } from '../../../verifier/builder/inputs/parse-lock.ts'
import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { type InputLock, MAX_LOCK_BYTES } from '../../../verifier/model/lock.ts'
import type { BlobRole, StoredBuilder } from '../store/records.ts'
import { workerFailure } from './worker-failures.ts'
import type { AttemptReport } from './worker-protocol.ts'

/** Of a log, and of a tree manifest, which are kept and shown for as long as the verdict: real ones have a hundredth of it. */
const MAX_KEPT_BYTES = 1 << 30

export type SizedBlob = { readonly sha256: Sha256; readonly size: number }

/** What a report names, as it lies in the store of blobs. */
export type ReportBytes = {
  /** What the verification needs from now on. */
  readonly referred: readonly (SizedBlob & { readonly role: BlobRole })[]
  readonly lock: InputLock | null
  readonly builder: NamedBuilder | null
}

export type NamedBuilder = Pick<StoredBuilder, 'digest' | 'mkosi' | 'architecture'> & {
  /** Blobs that it is made of, its description first; null where it is known already, and kept. */
  readonly parts: readonly SizedBlob[] | null
}

/**
 * Looks at the bytes that a report names. A builder that is `known` is what it was when it was taken, whatever is said of it now. Fails with `report-blobs-missing` where some are not there, with `report-contradictory` where
 * they are not what the report says.
 */
export async function bytesOfReport(report: AttemptReport, blobs: BlobStore, known: StoredBuilder | undefined): Promise<ReportBytes> {
  const sized = new Sizes(blobs)
  const { attempt, builder } = report
  const referred: ReportBytes['referred'][number][] = []
  const refer = async (sha256: Sha256, role: BlobRole, size?: number): Promise<void> => {
    const blob = await sized.one(sha256, size)
    if ((role === 'log' || role === 'tree-manifest') && blob.size > MAX_KEPT_BYTES)
      throw workerFailure('report-contradictory', { what: role })
    referred.push({ ...blob, role })
  }
  if (attempt.log !== null) await refer(attempt.log, 'log')
  if (attempt.lock !== null) await refer(attempt.lock, 'lock')
  for (const { format, sha256, size, treeManifest } of attempt.artifacts) {
    // An image layout is known by its manifest, which is no file of its own.
    if (format !== 'oci') await refer(sha256, 'artifact', size)
    if (treeManifest !== null) await refer(treeManifest, 'tree-manifest')
  }
  const lock = attempt.lock === null ? null : await lockIn(attempt.lock, blobs)
  for (const { sha256, size } of lock?.inputs ?? []) await sized.one(sha256, size)
  if (builder === null) return { referred, lock, builder: null }
  return {
    referred,
    lock,
    builder: known === undefined ? await builderIn(builder.description, { blobs, sized }) : { ...known, parts: null },
  }
}

class Sizes {
  readonly #blobs: BlobStore
  readonly #known = new Map<Sha256, number>()

  constructor(blobs: BlobStore) {
    this.#blobs = blobs
  }

  async one(sha256: Sha256, expected?: number): Promise<SizedBlob> {
    const size = this.#known.get(sha256) ?? (await this.#blobs.size(sha256))
    if (size === undefined) throw workerFailure('report-blobs-missing', { sha256 })
    this.#known.set(sha256, size)
    if (expected !== undefined && expected !== size) throw workerFailure('report-contradictory', { what: 'size', sha256 })
    return { sha256, size }
  }
}

async function lockIn(sha256: Sha256, blobs: BlobStore): Promise<InputLock> {
  if (((await blobs.size(sha256)) ?? 0) > MAX_LOCK_BYTES) throw workerFailure('report-contradictory', { what: 'lock' })
  return await asSaid('lock', async () => parseLock((await readBlob(blobs, sha256)).toString('utf8')))
}

async function builderIn(description: Sha256, { blobs, sized }: { blobs: BlobStore; sized: Sizes }): Promise<NamedBuilder> {
  await sized.one(description)
  const image = await asSaid('builder', () => storedBuilder(description, blobs))
  const { digest, mkosi, architecture } = image
  const parts: SizedBlob[] = []
  for (const sha256 of [description, ...partsOfBuilder(image)]) parts.push(await sized.one(sha256))
  return { digest, mkosi, architecture, parts }
}

/** Bytes that are no lock or no builder contradict who says that they are one. */
async function asSaid<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof Failure) || error.audience !== 'caller') throw error
    if (error.code === 'blob-missing') throw workerFailure('report-blobs-missing', { sha256: String(error.data['expected']) })
    throw workerFailure('report-contradictory', { what, code: error.code })
  }
}
