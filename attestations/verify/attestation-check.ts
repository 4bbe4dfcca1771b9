import { z } from 'zod'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Statement } from '../statement/statement.ts'
import { Check } from './check.ts'

/** Who signed, as the certificate or the configured key says. */
export const AttestationSigner = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('certificate'), subjectAlternativeName: z.string(), issuer: z.string().nullable() }),
  /** sha256 of the SPKI in DER. */
  z.strictObject({ kind: z.literal('key'), fingerprint: Sha256 }),
])
export type AttestationSigner = z.infer<typeof AttestationSigner>

/** What verifying one bundle came to. `verified` never stands beside a failed check. */
export const AttestationCheck = z.strictObject({
  verdict: z.enum(['verified', 'rejected']),
  /** Of the first check that failed; null when verified. */
  code: z.string().nullable(),
  message: z.string(),
  checks: z.array(Check),
  /** Null when rejected: what is not verified is not said. */
  statement: Statement.nullable(),
  /** Null where signature, certificate, log or time do not hold. */
  signer: AttestationSigner.nullable(),
  /** Earliest time that somebody other than the signer vouches for, ISO 8601; null where there is none. */
  signedAt: z.string().nullable(),
})
export type AttestationCheck = z.infer<typeof AttestationCheck>
