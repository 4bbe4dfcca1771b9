import { type KeyObject, verify } from 'node:crypto'
import { type DerElement, derElements, inSequence, TAG } from './der-elements.ts'

/** A list of revoked certificates (RFC 5280 §5), as far as it is asked about here. */
export type RevocationList = {
  readonly from: Date
  readonly until: Date
  /** Numbers of revoked certificates: hex, in small letters, without zeros in front. */
  readonly revoked: ReadonlySet<string>
  /** Whether this key signed it. */
  readonly isSignedBy: (key: KeyObject) => boolean
}

/** Reads a list; undefined where it is none, or has no end. Whether it is signed is asked of it. A pure function. */
export function readRevocationList(der: Buffer): RevocationList | undefined {
  const [list, ...more] = derElements(der) ?? []
  const [signed, , signature] = inSequence(list) ?? []
  const parts = inSequence(signed)
  if (more.length > 0 || signed === undefined || signature?.tag !== TAG.bits || parts === undefined) return undefined
  // A version, the algorithm, who issued it; two times; what is revoked, where anything is; extensions.
  const [, , from, until, entries] = parts[0]?.tag === TAG.integer ? parts.slice(1) : parts
  const times = [timeOf(from), timeOf(until)] as const
  const revoked = entries?.tag === TAG.sequence ? numbersOf(entries) : new Set<string>()
  if (times[0] === undefined || times[1] === undefined || revoked === undefined) return undefined
  const isSignedBy = (key: KeyObject): boolean => verify('sha256', signed.whole, key, signature.content.subarray(1))
  return { from: times[0], until: times[1], revoked, isSignedBy }
}

/** As a certificate's own number is to be compared with those of a list. */
export function plainNumber(hex: string): string {
  return hex.toLowerCase().replace(/^0+/, '')
}

function numbersOf(entries: DerElement): ReadonlySet<string> | undefined {
  const numbers = inSequence(entries)?.map((entry) => inSequence(entry)?.[0])
  return numbers?.every((number) => number?.tag === TAG.integer) === true
    ? new Set(numbers.map((number) => plainNumber(number?.content.toString('hex') ?? '')))
    : undefined
}

/** UTCTime and GeneralizedTime in the one form that certificates have (RFC 5280 §4.1.2.5). */
function timeOf(element: DerElement | undefined): Date | undefined {
  const text = element?.content.toString('latin1') ?? ''
  const short = element?.tag === TAG.utcTime && /^\d{12}Z$/.test(text)
  const long = element?.tag === TAG.generalTime && /^\d{14}Z$/.test(text)
  if (!short && !long) return undefined
  const full = short ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text
  const time = new Date(full.replace(/^(....)(..)(..)(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  return Number.isNaN(time.getTime()) ? undefined : time
}
