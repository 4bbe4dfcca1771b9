import { createCipheriv, createPublicKey, diffieHellman, generateKeyPairSync, randomBytes } from 'node:crypto'
import type { AppEnvironment } from '../app/deploy/deploy-target.ts'
import { targetFailure } from './target-failure.ts'

/**
 * Environment that the guest alone can read, as hex: a fresh X25519 key, 12 bytes of nonce, and AES-256-GCM of `{"env":[{"key","value"}]}` under
 * the secret that both keys share (dstack, `encryptEnvVars` of its SDK; the guest's part is dstack-util/src/crypto.rs). `key`: 64 hexadecimal
 * digits. Throws `target-answer-malformed` for a key that shares no secret.
 */
export function encryptEnvironment(environment: AppEnvironment, key: string): string {
  const { privateKey, publicKey } = generateKeyPairSync('x25519')
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', sharedSecret(privateKey, key), nonce)
  const text = JSON.stringify({ env: environment.map(({ name, value }) => ({ key: name, value })) })
  const own = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
  return Buffer.concat([own, nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('hex')
}

function sharedSecret(privateKey: ReturnType<typeof generateKeyPairSync>['privateKey'], key: string): Buffer {
  const x = Buffer.from(key, 'hex').toString('base64url')
  try {
    return diffieHellman({ privateKey, publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' }) })
  } catch {
    // Of points of small order everybody knows the secret.
    throw targetFailure('target-answer-malformed')
  }
}
