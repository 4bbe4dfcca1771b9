import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { sha256Of } from '../model/hex-digest.ts'
import type { Digested } from './canonical-tar.ts'

/** Digest and size of a file as it is. Rejects as the file system does. */
export async function digestFile(path: string, signal?: AbortSignal): Promise<Digested> {
  return digestBytes(createReadStream(path, { highWaterMark: 1024 * 1024, ...(signal === undefined ? {} : { signal }) }))
}

export async function digestBytes(bytes: AsyncIterable<Uint8Array>): Promise<Digested> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of bytes) {
    hash.update(chunk)
    size += chunk.length
  }
  return { sha256: sha256Of(hash), size }
}
