import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'

/**
 * Who must have signed. There is no way to leave it out: whoever a certificate authority ever certified would pass.
 * A name is exact unless it is given as a pattern: `*` stands for any characters but `/ ? # @`, `**` for any; it must match the whole name.
 */
export type RequiredSigner =
  | {
      readonly kind: 'certificate'
      /** OIDC issuer, exact. */
      readonly issuer: string
      readonly subjectAlternativeName: string | { readonly pattern: string }
    }
  | {
      readonly kind: 'key'
      /** PEM (SPKI), P-256. One of them must have signed. */
      readonly publicKeys: readonly string[]
    }

/** How many independent witnesses there must be at least. Several of one log or authority count once. */
export type Thresholds = {
  /** Transparency logs with an entry. By default 1 with a certificate, 0 with a key. */
  readonly logEntries: number
  /** Timestamp authorities and logs that say when. By default 1 with a certificate, where it cannot be 0; 0 with a key. */
  readonly times: number
  /** Certificate logs that vouch for the certificate. By default 1. */
  readonly certificateTimestamps: number
}

export type SignerPolicy = { readonly signer: RequiredSigner; readonly thresholds?: Partial<Thresholds> }

export type AttestationPolicy = SignerPolicy & {
  /** URI; the statement must be of this kind. */
  readonly predicateType: string
  /** The statement must be about it. */
  readonly artifact: Sha256
  /** How old it may be, in seconds. */
  readonly maxAgeSeconds?: number
}

/** Largest number that a threshold may be, and seconds of a hundred years: beyond is a slip. */
const MAX_THRESHOLD = 16
const MAX_AGE = 100 * 365 * 86_400

/** The thresholds in force. Fails with `policy-…` where a policy lacks what it cannot lack, also where no type checker looked. */
export function requirePolicy(policy: SignerPolicy & { readonly maxAgeSeconds?: number }): Thresholds {
  const signer = policy.signer as RequiredSigner | undefined
  if (signer?.kind === 'certificate') {
    const name = typeof signer.subjectAlternativeName === 'string' ? signer.subjectAlternativeName : signer.subjectAlternativeName?.pattern
    if (!isText(name) || !isText(signer.issuer)) throw identityMissing()
  } else if (signer?.kind !== 'key' || !Array.isArray(signer.publicKeys) || signer.publicKeys.length === 0) throw identityMissing()
  const withCertificate = signer.kind === 'certificate'
  const otherwise = withCertificate ? 1 : 0
  const { logEntries = otherwise, times = otherwise, certificateTimestamps = 1 } = policy.thresholds ?? {}
  if (![logEntries, times, certificateTimestamps].every((one) => Number.isSafeInteger(one) && one >= 0 && one <= MAX_THRESHOLD))
    throw new Failure({
      code: 'policy-threshold-malformed',
      message: 'a number of witnesses is none',
      hint: `give whole numbers from 0 to ${MAX_THRESHOLD}`,
    })
  if (withCertificate && times === 0)
    throw new Failure({
      code: 'policy-time-needed',
      message: 'a certificate is valid for minutes only: without a time nothing says that it was valid',
      hint: 'ask for at least one time, or for a key instead of a certificate',
    })
  const age = policy.maxAgeSeconds
  if (age !== undefined && !(Number.isSafeInteger(age) && age > 0 && age <= MAX_AGE))
    throw new Failure({ code: 'policy-age-malformed', message: 'the age is none', hint: 'give whole seconds, more than 0' })
  return { logEntries, times, certificateTimestamps }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 4096
}

function identityMissing(): Failure {
  return new Failure({
    code: 'policy-identity-missing',
    message: 'nothing says who must have signed',
    hint: 'name the signer and its issuer, or give a public key',
  })
}
