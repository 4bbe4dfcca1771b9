import type { Sha256 } from './digest.ts'

export type StoredBlob = { readonly sha256: Sha256; readonly size: number }

/** Content-addressed bytes. A blob appears whole or not at all; putting the same bytes twice is harmless. */
export interface BlobStore {
  /** Stores what the stream yields. Rejects, and stores nothing, if the stream fails, or, as `blob-differs`, if `expected` is another digest. */
  put(bytes: AsyncIterable<Uint8Array>, expected?: Sha256): Promise<StoredBlob>
  /** Opens a blob; rejects with code `blob-missing`. Bytes are checked against the digest while they are read: a damaged blob fails with `blob-damaged`. Both failures carry `data.expected` and `data.actual`. */
  open(sha256: Sha256): Promise<AsyncIterable<Uint8Array>>
  size(sha256: Sha256): Promise<number | undefined>
}
