import { createHash, randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import type { Sha256 } from '../model/digest.ts'
import { sha256Of } from '../model/hex-digest.ts'

/** Writes a file that appears whole or not at all, and takes the place of one that is there. Rejects as `bytes` does. */
export async function writeArchiveFile(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<{ readonly sha256: Sha256; readonly size: number }> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.part`
  try {
    await using file = await open(temporary, 'wx', 0o644)
    const hash = createHash('sha256')
    let size = 0
    for await (const chunk of bytes) {
      signal?.throwIfAborted()
      hash.update(chunk)
      size += chunk.length
      await file.appendFile(chunk)
    }
    await file.sync()
    await rename(temporary, path)
    return { sha256: sha256Of(hash), size }
  } finally {
    await rm(temporary, { force: true })
  }
}
