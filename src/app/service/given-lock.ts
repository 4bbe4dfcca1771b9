import { readInputs } from '../../../verifier/builder/inputs/inputs-archive.ts'
import { oneChunk } from '../../../verifier/bytes/one-chunk.ts'
import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { encodeLock, type Input } from '../../../verifier/model/lock.ts'
import { lockBlob } from './lock-blob.ts'

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
  const said = lock === null ? null : (await lockBlob(blobs, lock)).bytes
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
