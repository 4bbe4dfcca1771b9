import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { Failure } from '../../verifier/model/failure.ts'
import type { QuoteVerifier } from '../app/inspect/inspect-ports.ts'

/** Header and body of a quote of version 4: what is signed. */
const SIGNED = 632
const [SIGNATURE, KEY] = [64, 64]
/** No certificates follow the key: the type of what would, and its length. */
const NO_CERTIFICATES = Buffer.alloc(6)

/**
 * Holds quotes against a key that stands in for Intel's chain, for trials without the hardware. It asks for less than hardware gives, and for all of
 * it: there is no byte in a quote that could be another. Fails with `simulated-root-malformed`.
 */
export function standInQuotes(publicKeyPem: string): QuoteVerifier {
  const key = keyOf(publicKeyPem)
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(SIGNATURE + KEY + NO_CERTIFICATES.length)
  return {
    simulated: true,
    async check(quote) {
      const at = SIGNED + length.length
      const signature = quote.subarray(at, at + SIGNATURE)
      const rest = Buffer.concat([quote.subarray(SIGNED, at), quote.subarray(at + SIGNATURE)])
      const good =
        rest.equals(Buffer.concat([length, point, NO_CERTIFICATES])) &&
        verify('sha256', quote.subarray(0, SIGNED), { key, dsaEncoding: 'ieee-p1363' }, signature)
      return good
        ? { result: 'valid', tcb: { status: 'UpToDate', advisories: [] }, deviceId: '0'.repeat(64) }
        : { result: 'refused', reason: 'SIMULATED: the key that stands in for Intel’s did not sign this quote' }
    },
  }
}

function keyOf(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem)
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1' && !pem.includes('PRIVATE')) return key
  } catch {
    // Said below.
  }
  throw new Failure({
    code: 'simulated-root-malformed',
    message: 'it is no public key that could stand in for Intel’s',
    hint: 'give a public key of P-256 in PEM, as a stand-in writes it',
  })
}
