import { readInputs } from '../../../verifier/builder/inputs/inputs-archive.ts'
import { parseLock } from '../../../verifier/builder/inputs/parse-lock.ts'
import { oneChunk } from '../../../verifier/bytes/one-chunk.ts'
import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { encodeLock, type Input, MAX_LOCK_BYTES } from '../../../verifier/model/lock.ts'

/** A publisher's lock, in the store of blobs, and those of its inputs that are surely there as well. */
export type GivenLock = { readonly sha256: Sha256; readonly size: number; readonly inputs: readonly Pick<Input, 'sha256' | 'size'>[] }

/**
 * The lock that came with a submission, or in its archive of inputs, whose bytes it puts into the store; null where neither came.
 * Failures: `input-lock-malformed`, `inputs-archive-…`, `inputs-of-another-lock`, `blob-…`, `tar-…`.
 */
export async function givenLock(
  blobs: BlobStore,
  given: { readonly lock: Sha256 | null; readonly inputs: Sha256 | null },
): Promise<GivenLock | null> {
  const { lock } = given
  const said = lock === null ? null : await readLockBlob(blobs, lock)
  if (given.inputs === null) return said === null || lock === null ? null : { sha256: lock, size: said.length, inputs: [] }
  const carried = await readInputs(await blobs.open(given.inputs), blobs)
  const text = Buffer.from(encodeLock(carried))
  if (said !== null && !said.equals(text))
    throw new Failure({
      code: 'inputs-of-another-lock',
      message: 'the inputs archive belongs to another lock',
      hint: 'give the archive that was written beside the lock, or leave out one of the two',
    })
  const { sha256, size } = await blobs.put(oneChunk(text))
  return { sha256, size, inputs: carried.inputs.map((input) => ({ sha256: input.sha256, size: input.size })) }
}

/** The bytes of a lock that reads as one. */
async function readLockBlob(blobs: BlobStore, sha256: Sha256): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of await blobs.open(sha256)) {
    size += chunk.length
    // What is longer is none: as much as was read then cannot be parsed.
    if (size > MAX_LOCK_BYTES) break
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  parseLock(bytes.toString('utf8'))
  return bytes
}
