import { createHash } from 'node:crypto'
import { RFC3161Timestamp } from '@sigstore/core'
import type { Witness } from '@sigstore/sign'
import { isSoonParsed } from '../../verifier/bytes/asn1-steps.ts'
import { askService, below } from './ask-service.ts'
import { signatureOf } from './envelope-content.ts'
import type { Patience } from './http-answer.ts'
import { serviceFailure } from './service-failure.ts'
import { requireWithin, type Validity } from './validity.ts'

/**
 * A witness that has the signature timestamped by the JSON API of sigstore/timestamp-authority. The timestamp is over this signature and,
 * where a certificate signed, of a time when it was valid; whether the authority is one to trust is for verifiers and their trust root.
 */
export function timestampWitness(o: {
  /** `/api/v1/timestamp` is added to an address that has no path. */
  readonly tsa: URL
  readonly validity: Validity
  readonly patience: Patience
  readonly signal: AbortSignal
}): Witness {
  return {
    async testify(content) {
      const signature = signatureOf(content)
      const digest = createHash('sha256').update(signature).digest()
      const { body } = await askService(
        'tsa',
        {
          url: o.tsa.pathname === '/' ? below(o.tsa, 'api/v1/timestamp') : o.tsa,
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ artifactHash: digest.toString('base64'), hashAlgorithm: 'sha256' }),
          patience: o.patience,
          signal: o.signal,
        },
        [200, 201],
      )
      const signedTimestamp = Buffer.from(body)
      const { imprint, time } = readTimestamp(signedTimestamp)
      if (!imprint.equals(digest)) throw serviceFailure('tsa', 'wrong')
      requireWithin(o.validity, time)
      return { rfc3161Timestamps: [{ signedTimestamp }] }
    },
  }
}

/** RFC 3161, section 2.4.2: granted, with or without modifications, over a SHA-256. */
function readTimestamp(der: Buffer<ArrayBuffer>): { imprint: Buffer; time: Date } {
  if (!isSoonParsed(der)) throw serviceFailure('tsa', 'malformed')
  try {
    const timestamp = RFC3161Timestamp.parse(der)
    const { messageImprintHashAlgorithm, messageImprintHashedMessage, genTime } = timestamp.tstInfo
    if ((timestamp.status === 0n || timestamp.status === 1n) && messageImprintHashAlgorithm === 'sha256')
      return { imprint: messageImprintHashedMessage, time: genTime }
  } catch {
    // Falls through to the one answer for what cannot be read.
  }
  throw serviceFailure('tsa', 'malformed')
}
