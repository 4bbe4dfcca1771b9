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

/** Builders that attempts may be made in, the first of them first; none: any that a worker brings, since the operator registered it. */
export type AllowedBuilders = readonly Sha256[]

export function isAllowed(allowed: AllowedBuilders, builder: Sha256): boolean {
  return allowed.length === 0 || allowed.includes(builder)
}

/**
 * The builder for an attempt that may choose: one that the coordinator can give to the worker, else one that the worker has, else the first
 * that is allowed, which another worker may have. Null: the worker's default one.
 */
export async function firstAllowed(
  allowed: AllowedBuilders,
  {
    architecture,
    has,
    known,
  }: {
    readonly architecture: string
    readonly has: readonly Sha256[]
    readonly known: (digest: Sha256) => Promise<{ readonly architecture: string } | undefined>
  },
): Promise<Sha256 | null> {
  const foreign = new Set<Sha256>()
  for (const digest of allowed) {
    const builder = await known(digest)
    if (builder?.architecture === architecture) return digest
    if (builder !== undefined) foreign.add(digest)
  }
  const open = allowed.filter((digest) => !foreign.has(digest))
  return open.find((digest) => has.includes(digest)) ?? open[0] ?? allowed[0] ?? null
}
