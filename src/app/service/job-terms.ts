import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { StoredAttempt } from '../store/records.ts'
import type { HeldVerification } from '../store/store-ports.ts'

type Known = Pick<HeldVerification, 'attempts' | 'prepared' | 'submission'>

/** The lock that an attempt has to build from: the publisher's, or the one that the first attempt recorded; null: it records one. */
export function lockOfJob({ attempts, prepared }: Known, { mode }: Pick<StoredAttempt, 'mode'>): Sha256 | null {
  if (mode === 'live') return null
  return prepared?.lock ?? attempts.find(({ number }) => number === 1)?.report?.lock ?? null
}

/**
 * The builder that an attempt has to be made in: the one asked for, or that of the first attempt that is done; null: its worker's default
 * one. Attempts that run side by side may have begun without it: whose worker took another one than the first to report is tried again.
 */
export function builderOfJob({ attempts, submission }: Known): Sha256 | null {
  return submission.builder ?? attempts.find(({ report }) => (report?.builder ?? null) !== null)?.report?.builder ?? null
}
