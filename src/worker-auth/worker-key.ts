import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import path from 'node:path'
import { keyUnreadable, openKeyText, readKeyText } from '../../verifier/bytes/key-text.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { parseWorkerPublicKey, type WorkerPublicKey } from '../app/service/worker-public-key.ts'

/** Name of the key below the folder of keys. */
export const WORKER_KEY_NAME = 'worker.pem'

const WHOSE = "the worker's key"

/** An Ed25519 key that a worker signs its requests with. Printing, inspecting or encoding it shows the public half and nothing else. */
export class WorkerKey {
  readonly #privateKey: KeyObject
  readonly publicKey: WorkerPublicKey

  constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey
    this.publicKey = parseWorkerPublicKey(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).toString('base64'))
  }

  sign(bytes: Uint8Array): Buffer {
    return sign(null, bytes, this.#privateKey)
  }
}

/**
 * Opens the worker's key of a folder, and makes it where there is none. Failures: `key-unreadable`, `key-not-private`, `key-not-made`,
 * `key-malformed`, `key-unsupported`.
 */
export async function openWorkerKey(folder: string): Promise<WorkerKey> {
  return parseWorkerKey(await openKeyText(path.join(folder, WORKER_KEY_NAME), WHOSE, makeKey))
}

/** Reads a key from a file. Fails as `openWorkerKey`. */
export async function readWorkerKey(file: string): Promise<WorkerKey> {
  const text = await readKeyText(file, WHOSE)
  if (text === undefined) throw keyUnreadable(WHOSE, 'ENOENT')
  return parseWorkerKey(text)
}

function makeKey(): string | Uint8Array {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
}

/** What OpenSSL says about it is dropped, since it may repeat what it was given. */
function parseWorkerKey(pem: string): WorkerKey {
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey({ key: pem, format: 'pem' })
  } catch {
    throw new Failure({
      code: 'key-malformed',
      message: "the worker's key is not a private key in PEM, or is encrypted",
      hint: 'make one: openssl genpkey -algorithm ed25519 -out worker.pem',
    })
  }
  if (privateKey.asymmetricKeyType !== 'ed25519')
    throw new Failure({
      code: 'key-unsupported',
      message: "the worker's key is not of Ed25519",
      hint: 'make one: openssl genpkey -algorithm ed25519 -out worker.pem',
    })
  return new WorkerKey(privateKey)
}
