import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import path from 'node:path'

/**
 * Makes a file that appears whole or not at all, and takes the place of one that is there: `write` makes it under another name in the same
 * folder, and it is renamed once that is over. Gives what `write` gives. Rejects as `write` and the file system do; nothing is left then.
 */
export async function makeWhole<T>(file: string, write: (part: string) => Promise<T>): Promise<T> {
  // Short whatever the file is called, and nothing that anybody could have put there before.
  const part = path.join(path.dirname(file), `.${randomBytes(8).toString('hex')}.part`)
  try {
    const written = await write(part)
    await rename(part, file)
    return written
  } catch (error) {
    // Where this fails as well, the first failure is the one that says why.
    await rm(part, { force: true }).catch(() => {})
    throw error
  }
}

/** Writes a file of these bytes that appears whole or not at all, even if the machine dies meanwhile. Rejects as the file system does. */
export async function writeWhole(file: string, bytes: Uint8Array | string): Promise<void> {
  await makeWhole(file, async (part) => {
    await using handle = await open(part, 'wx')
    await handle.writeFile(bytes)
    await handle.sync()
  })
}
