import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'

/** A public key that may have signed, and every name that is known for it. */
export type KnownKey = {
  readonly key: KeyObject
  /** DER of its SPKI. */
  readonly spki: Buffer
  /** sha256 of the SPKI in lower-case hex: what is compared out of band. */
  readonly fingerprint: Sha256
  readonly names: ReadonlySet<string>
}

/** Reads configured keys. Fails with `public-key-malformed` or `public-key-unsupported`. */
export function readKeys(pems: readonly string[]): KnownKey[] {
  return pems.map((pem) => {
    const key = readKey(pem)
    if (key.type !== 'public' || key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
      throw new Failure({
        code: 'public-key-unsupported',
        message: 'the public key is not of the kind that attestations are signed with',
        hint: 'give a key on the curve P-256',
      })
    return knownKey(key)
  })
}

function readKey(pem: string): KeyObject {
  // createPublicKey would also take a private key and a certificate: whoever gives one of those gave the wrong file.
  if (/^-----BEGIN PUBLIC KEY-----\r?\n[A-Za-z0-9+/=\r\n]+-----END PUBLIC KEY-----\s*$/.test(pem))
    try {
      return createPublicKey(pem)
    } catch {
      // The library's text is about the bytes of the file.
    }
  throw new Failure({
    code: 'public-key-malformed',
    message: 'the public key cannot be read',
    hint: 'give a file with one public key in PEM',
  })
}

export function knownKey(key: KeyObject): KnownKey {
  const spki = key.export({ type: 'spki', format: 'der' })
  const digest = createHash('sha256').update(spki).digest()
  const base64 = digest.toString('base64')
  const names = new Set([digest.toString('hex'), base64, base64.replace(/=+$/, ''), `SHA256:${base64.replace(/=+$/, '')}`])
  const ssh = sshFingerprint(key)
  if (ssh !== undefined) names.add(ssh)
  return { key, spki, fingerprint: Sha256.parse(digest.toString('hex')), names }
}

/** `SHA256:…` as ssh-keygen prints it: what Go's verifiers take a DSSE keyid for. Of P-256 keys (RFC 5656 §3.1). */
function sshFingerprint(key: KeyObject): string | undefined {
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return undefined
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  const wire = Buffer.concat([Buffer.from('ecdsa-sha2-nistp256'), Buffer.from('nistp256'), point].map(sshString))
  return `SHA256:${createHash('sha256').update(wire).digest('base64').replace(/=+$/, '')}`
}

function sshString(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
