import { parseLock } from '../../../verifier/builder/inputs/parse-lock.ts'
import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { type InputLock, MAX_LOCK_BYTES } from '../../../verifier/model/lock.ts'

/** A lock in the store, and its bytes. Failures: `input-lock-malformed`, `blob-missing`, `blob-damaged`. */
export async function lockBlob(blobs: BlobStore, sha256: Sha256): Promise<{ readonly lock: InputLock; readonly bytes: Buffer }> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of await blobs.open(sha256)) {
    size += chunk.length
    // What is longer is none: as much as was read then cannot be parsed.
    if (size > MAX_LOCK_BYTES) break
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  return { lock: parseLock(bytes.toString('utf8')), bytes }
}
