import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { makeWhole } from '../bytes/whole-file.ts'
import type { Sha256 } from '../model/digest.ts'
import { sha256Of } from '../model/hex-digest.ts'

/** Writes a file that appears whole or not at all, and takes the place of one that is there. Rejects as `bytes` does. */
export async function writeArchiveFile(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<{ readonly sha256: Sha256; readonly size: number }> {
  return await makeWhole(path, async (part) => {
    await using file = await open(part, 'wx', 0o644)
    const hash = createHash('sha256')
    let size = 0
    for await (const chunk of bytes) {
      signal?.throwIfAborted()
      hash.update(chunk)
      size += chunk.length
      await file.appendFile(chunk)
    }
    await file.sync()
    return { sha256: sha256Of(hash), size }
  })
}
