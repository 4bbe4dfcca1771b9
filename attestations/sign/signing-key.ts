import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'

/** A P-256 key that signs. Printing, inspecting or encoding it shows the public half and nothing else. */
export class SigningKey {
  readonly #privateKey: KeyObject
  readonly publicKeyPem: string
  /** sha256 of the public key's SPKI DER: what `openssl pkey -pubin -outform DER | sha256sum` says of the public key. */
  readonly fingerprint: Sha256

  constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey
    const publicKey = createPublicKey(privateKey)
    this.publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    this.fingerprint = digestOf(publicKey.export({ type: 'spki', format: 'der' }))
  }

  get privateKeyPem(): string {
    return this.#privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  }

  /** ECDSA over SHA-256, in DER. */
  sign(bytes: Uint8Array): Buffer {
    return sign('sha256', bytes, this.#privateKey)
  }
}

/**
 * Reads a private key in PEM: PKCS #8 or SEC 1, P-256, not encrypted. Failures: `key-encrypted`, `key-malformed`, `key-unsupported`. What
 * OpenSSL says about it is dropped, since it may repeat what it was given.
 */
export function parseSigningKey(pem: string): SigningKey {
  if (/^-----BEGIN .*ENCRYPTED.*-----/m.test(pem) || /^Proc-Type: 4,ENCRYPTED$/m.test(pem))
    throw new Failure({
      code: 'key-encrypted',
      message: 'the signing key is encrypted',
      hint: 'give it without a passphrase, in a file that only its owner may read',
    })
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey({ key: pem, format: 'pem' })
  } catch {
    throw new Failure({
      code: 'key-malformed',
      message: 'the signing key is not a private key in PEM',
      hint: 'make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem',
    })
  }
  if (privateKey.asymmetricKeyType !== 'ec' || privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new Failure({
      code: 'key-unsupported',
      message: 'the signing key is not on the curve P-256, which every verifier knows',
      hint: 'make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem',
    })
  return new SigningKey(privateKey)
}
