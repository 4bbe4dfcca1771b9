import { RFC3161Timestamp } from '@sigstore/core'
import type { BundleShape, LogEntryShape } from './bundle-shape.ts'
import type { RejectionCode } from './rejections.ts'

/** A time that somebody other than the signer gave. It counts only after the library has verified it. */
export type SignedTime = {
  readonly at: Date
  /** The same for two times of one authority or log. */
  readonly by: string
}

/** RFC 3161 §2.4.2: granted, and granted with modifications. The library takes a token without looking at its status. */
const GRANTED: ReadonlySet<bigint> = new Set([0n, 1n])

/** What timestamps and log entries say about when; a code where one of them cannot be read, or is there twice. */
export function readTimes({ verificationMaterial }: BundleShape): readonly SignedTime[] | RejectionCode {
  const tokens = (verificationMaterial.timestampVerificationData?.rfc3161Timestamps ?? []).map((one) => one.signedTimestamp)
  if (new Set(tokens).size !== tokens.length) return 'timestamp-duplicate'
  const stamped = tokens.map(readToken)
  if (stamped.some((one) => one === undefined)) return 'timestamp-malformed'
  const times = stamped.flatMap((one) => (one === undefined ? [] : [one]))
  if (new Set(times.map(({ at, by }) => `${at.getTime()} ${by}`)).size !== times.length) return 'timestamp-duplicate'
  return [...times, ...(verificationMaterial.tlogEntries ?? []).flatMap(promisedTime)]
}

function readToken(base64: string): SignedTime | undefined {
  try {
    const token = RFC3161Timestamp.parse(Buffer.from(base64, 'base64'))
    const at = token.signingTime
    if (!GRANTED.has(token.status) || Number.isNaN(at.getTime())) return undefined
    return { at, by: `tsa ${token.signerIssuer.toString('hex')} ${token.signerSerialNumber.toString('hex')}` }
  } catch {
    // Whatever a parser stumbles over.
    return undefined
  }
}

/** A log says when only together with a promise, which signs the time: without one it is a number that anybody can change. */
function promisedTime(entry: LogEntryShape): SignedTime[] {
  if (entry.inclusionPromise === undefined || (entry.integratedTime ?? '0') === '0') return []
  return [{ at: new Date(Number(entry.integratedTime) * 1000), by: `log ${entry.logId.keyId}` }]
}
