import type { BlobStore } from '../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'

/** All bytes of a blob that is small enough to be held. Fails as `open` does. */
export async function wholeBlob(blobs: Pick<BlobStore, 'open'>, sha256: Sha256): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(await blobs.open(sha256)))
}
