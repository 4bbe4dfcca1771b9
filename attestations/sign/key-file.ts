import { generateKeyPairSync } from 'node:crypto'
import path from 'node:path'
import { keyUnreadable, openKeyText, readKeyText } from '../../verifier/bytes/key-text.ts'
import { parseSigningKey, type SigningKey } from './signing-key.ts'

/** Name of the key below the folder of keys. */
export const KEY_NAME = 'signing-key.pem'

const WHOSE = 'the signing key'

/** Opens the signing key of a folder, and makes it where there is none. Failures: those of `readKeyFile`, and `key-not-made`. */
export async function openKey(folder: string): Promise<SigningKey> {
  return parseSigningKey(await openKeyText(path.join(folder, KEY_NAME), WHOSE, makeKey))
}

/** Reads a key from a file. Failures: `key-unreadable`, `key-not-private`, `key-malformed`, `key-encrypted`, `key-unsupported`. */
export async function readKeyFile(file: string): Promise<SigningKey> {
  const text = await readKeyText(file, WHOSE)
  if (text === undefined) throw keyUnreadable(WHOSE, 'ENOENT')
  return parseSigningKey(text)
}

function makeKey(): string | Uint8Array {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' })
}
