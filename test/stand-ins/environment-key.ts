import { createDecipheriv, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto'

/** A KMS’s key of one app, to which environment is encrypted. */
export class EnvironmentKey {
  readonly #pair = generateKeyPairSync('x25519')

  /** Hex, as it is published. */
  get published(): string {
    return Buffer.from(this.#pair.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex')
  }

  /** What a guest reads of it; throws where it was not encrypted to this key. */
  open(encrypted: string): { readonly key: string; readonly value: string }[] {
    const bytes = Buffer.from(encrypted, 'hex')
    const x = bytes.subarray(0, 32).toString('base64url')
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' })
    const decipher = createDecipheriv(
      'aes-256-gcm',
      diffieHellman({ privateKey: this.#pair.privateKey, publicKey }),
      bytes.subarray(32, 44),
    )
    decipher.setAuthTag(bytes.subarray(-16))
    const text = Buffer.concat([decipher.update(bytes.subarray(44, -16)), decipher.final()]).toString('utf8')
    return (JSON.parse(text) as { env: { key: string; value: string }[] }).env
  }
}
