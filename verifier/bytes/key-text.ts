import { randomBytes } from 'node:crypto'
import { link, open, rm } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../model/failure.ts'
import { readSmallFile } from './small-file.ts'

const MAX_BYTES = 64 * 1024

/**
 * Reads the text of a private key, which nobody but its owner may read or write. `whose` names the key in messages. Undefined where there
 * is no such file. Failures: `key-unreadable`, `key-not-private`.
 */
export async function readKeyText(file: string, whose: string): Promise<string | undefined> {
  const read = await readSmallFile(file, { maxBytes: MAX_BYTES })
  if (read.bytes === null) {
    if (read.why === 'absent') return undefined
    throw keyUnreadable(whose, errnoOf(read.cause) ?? 'not a file of a key')
  }
  // Where there are no user ids there are no such modes either.
  if ((read.mode & 0o077) !== 0 && process.getuid !== undefined)
    throw new Failure({
      code: 'key-not-private',
      message: `others than its owner may read or write the file of ${whose}`,
      hint: 'if it may have been read, make a new one; otherwise: chmod 600 FILE',
    })
  return read.bytes.toString('utf8')
}

/**
 * Reads a key, and makes it where there is none: written to a temporary file of mode 0600 that is then linked under its name. A link never
 * replaces a file, so that of two processes that start at once both take the key of the first. Failures: as `readKeyText`, `key-not-made`.
 */
export async function openKeyText(file: string, whose: string, make: () => string | Uint8Array): Promise<string> {
  const found = await readKeyText(file, whose)
  if (found !== undefined) return found
  await makeKey(file, whose, make())
  const made = await readKeyText(file, whose)
  if (made === undefined) throw keyUnreadable(whose, 'ENOENT')
  return made
}

async function makeKey(file: string, whose: string, content: string | Uint8Array): Promise<void> {
  const folder = path.dirname(file)
  const part = path.join(folder, `.${path.basename(file)}.${process.pid}-${randomBytes(8).toString('hex')}`)
  try {
    await using handle = await open(part, 'wx', 0o600)
    await handle.writeFile(content)
    await handle.sync()
    await link(part, file)
    await using directory = await open(folder, 'r')
    await directory.sync()
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST')
      throw new Failure({
        code: 'key-not-made',
        message: `the file of ${whose} could not be written (${errnoOf(error) ?? 'unknown'})`,
        hint: 'make room, and let BITWITNESS_HOME be on a file system with hard links; BITWITNESS_KEY_FILE names a signing key elsewhere',
      })
  } finally {
    await rm(part, { force: true })
  }
}

/** `why`: an errno, or words of ours. */
export function keyUnreadable(whose: string, why: string): Failure {
  return new Failure({
    code: 'key-unreadable',
    message: `the file of ${whose} cannot be read (${why})`,
    hint: 'give the path of a private key in PEM that this user may read',
  })
}

function errnoOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code
}
