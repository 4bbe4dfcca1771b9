import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { link, open, rm } from 'node:fs/promises'
import path from 'node:path'
import { readSmallFile } from '../../verifier/bytes/small-file.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { parseSigningKey, type SigningKey } from './signing-key.ts'

/** Name of the key below the folder of keys. */
export const KEY_NAME = 'signing-key.pem'

const MAX_BYTES = 64 * 1024

/**
 * Opens the signing key of a folder, and makes it where there is none: written to a temporary file of mode 0600 that is then linked under
 * its name. A link never replaces a file, so that of two processes that start at once both take the key of the first.
 * Failures: those of `readKeyFile`, and `key-not-made`.
 */
export async function openKey(folder: string): Promise<SigningKey> {
  const file = path.join(folder, KEY_NAME)
  const found = await readKey(file)
  if (found !== undefined) return found
  await makeKey(folder, file)
  return await readKeyFile(file)
}

/** Reads a key from a file. Failures: `key-unreadable`, `key-not-private`, `key-malformed`, `key-encrypted`, `key-unsupported`. */
export async function readKeyFile(file: string): Promise<SigningKey> {
  const key = await readKey(file)
  if (key === undefined) throw unreadable('ENOENT')
  return key
}

/** Undefined where there is no such file. */
async function readKey(file: string): Promise<SigningKey | undefined> {
  const read = await readSmallFile(file, { maxBytes: MAX_BYTES })
  if (read.bytes === null) {
    if (read.why === 'absent') return undefined
    throw unreadable(errnoOf(read.cause) ?? 'not a file of a key')
  }
  // Where there are no user ids there are no such modes either.
  if ((read.mode & 0o077) !== 0 && process.getuid !== undefined)
    throw new Failure({
      code: 'key-not-private',
      message: 'others than its owner may read or write the file of the signing key',
      hint: 'if it may have been read, make a new one; otherwise: chmod 600 FILE',
    })
  return parseSigningKey(read.bytes.toString('utf8'))
}

async function makeKey(folder: string, file: string): Promise<void> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const part = path.join(folder, `.${KEY_NAME}.${process.pid}-${randomBytes(8).toString('hex')}`)
  try {
    await using handle = await open(part, 'wx', 0o600)
    await handle.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }))
    await handle.sync()
    await link(part, file)
    await using directory = await open(folder, 'r')
    await directory.sync()
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST')
      throw new Failure({
        code: 'key-not-made',
        message: `the signing key could not be written (${errnoOf(error) ?? 'unknown'})`,
        hint: 'make room and let BITWITNESS_HOME be on a file system with hard links, or give a key by BITWITNESS_KEY_FILE',
      })
  } finally {
    await rm(part, { force: true })
  }
}

function unreadable(why: string | undefined): Failure {
  return new Failure({
    code: 'key-unreadable',
    message: `the file of the signing key cannot be read (${why ?? 'unknown'})`,
    hint: 'give the path of a private key in PEM that this user may read',
  })
}

function errnoOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code
}
