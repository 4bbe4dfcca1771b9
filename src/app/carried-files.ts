import { createHash } from 'node:crypto'
import path from 'node:path'
import type { Carried } from '../../attestations/proof/proof.ts'
import { readInputs } from '../../verifier/builder/inputs/inputs-archive.ts'
import { namedChunks } from '../../verifier/bytes/named-file.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { sha256Of } from '../../verifier/model/hex-digest.ts'
import { encodeLock } from '../../verifier/model/lock.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import type { PinnedTree } from '../../verifier/source/pinned-tree.ts'
import { writeArchiveFile } from '../../verifier/tar/archive-file.ts'

/** A file that a proof is to carry. */
export type CarriedFile = Carried & { readonly file: string }

/** The source of a report as one canonical tar. Failures: those of pinning, `source-of-another-report`. */
export async function carriedSource(
  pin: (source: string, scratch: string, signal: AbortSignal) => Promise<PinnedTree>,
  o: { readonly source: string; readonly report: VerificationReport; readonly scratch: string; readonly signal: AbortSignal },
): Promise<CarriedFile> {
  await using pinned = await pin(o.source, o.scratch, o.signal)
  if (pinned.pinned.treeDigest !== o.report.source.treeDigest) throw sourceOfAnother(pinned.pinned.treeDigest, o.report)
  const file = path.join(o.scratch, 'source.tar')
  return { ...(await writeArchiveFile(file, pinned.tar(), o.signal)), file }
}

export function sourceOfAnother(actual: Sha256, { source }: VerificationReport): Failure {
  return new Failure({
    code: 'source-of-another-report',
    message: 'the source is not the one that the report is about: its tree has another digest',
    hint: 'give the source as it was when the report was made, and the same folder of it',
    data: { expected: source.treeDigest, actual },
  })
}

/** An archive of inputs, if it is a whole one and of this lock. Failures: `file-unreadable`, `inputs-of-another-lock`, those of `readInputs`. */
export async function carriedInputs(
  file: string,
  { lock, signal }: { readonly lock: Uint8Array | null; readonly signal: AbortSignal },
): Promise<CarriedFile> {
  const hash = createHash('sha256')
  let size = 0
  const found = await readInputs(seen(), HELD_NOWHERE)
  if (lock !== null && Buffer.from(encodeLock(found)).equals(lock)) return { sha256: sha256Of(hash), size, file }
  throw new Failure({
    code: 'inputs-of-another-lock',
    message: 'the inputs archive belongs to another lock',
    hint: 'give the archive that was written beside the lock, or leave out one of the two',
  })

  async function* seen(): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of namedChunks(file, { what: 'the inputs archive', signal })) {
      hash.update(chunk)
      size += chunk.length
      yield chunk
    }
  }
}

/** Looks at bodies and keeps none. */
const HELD_NOWHERE: Pick<BlobStore, 'put' | 'size'> = {
  async put(bytes, expected) {
    const hash = createHash('sha256')
    let size = 0
    for await (const chunk of bytes) {
      hash.update(chunk)
      size += chunk.length
    }
    const sha256 = sha256Of(hash)
    if (expected === undefined || sha256 === expected) return { sha256, size }
    throw new Failure({
      code: 'blob-differs',
      message: `expected bytes of sha256 ${expected}, got ${sha256}`,
      hint: 'the sender has other bytes than it should',
      data: { expected, actual: sha256 },
    })
  },
  size: () => Promise.resolve(undefined),
}
