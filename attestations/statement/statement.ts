import { z } from 'zod'
import { Sha256 } from '../../verifier/model/digest.ts'
import { escapeBytes } from '../../verifier/model/tree-manifest.ts'
import { STATEMENT_TYPE } from './predicate-types.ts'

/** An absolute URI (RFC 3986) in printable ASCII. */
export const AbsoluteUri = z
  .string()
  .max(2048)
  .regex(/^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/)

/** UTC, as RFC 3339 and `Date` write it. */
export const Timestamp = z.iso.datetime()

/**
 * What a statement is about. sha256 only: a verifier takes a subject that matches by any of its digests, so one more digest is one more
 * way in. Names are printable text; nothing is decided by them.
 */
export const Subject = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(4096)
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u),
  digest: z.strictObject({ sha256: Sha256 }),
})
export type Subject = z.infer<typeof Subject>

/** in-toto Statement v1, as we write and read it: stricter than the specification, which lets a reader pass over what it does not know. */
export const Statement = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(Subject).min(1).max(1024),
  predicateType: AbsoluteUri,
  predicate: z.record(z.string(), z.unknown()),
})
export type Statement<P = unknown> = Omit<z.infer<typeof Statement>, 'predicate'> & { predicate: P }

/** A subject whose name may be anything: what would not print is escaped. */
export function subjectOf(name: string | null, sha256: Sha256): Subject {
  // in-toto's own word for a name that means nothing.
  return { name: name === null || name === '' ? '_' : escapeBytes(encoder.encode(name)), digest: { sha256 } }
}

/** One subject for each digest and name, in the order in which they first appear. */
export function distinctSubjects(subjects: readonly Subject[]): Subject[] {
  return [...new Map(subjects.map((subject) => [`${subject.digest.sha256} ${subject.name}`, subject])).values()]
}

const encoder = new TextEncoder()
