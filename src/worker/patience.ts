import pRetry from 'p-retry'
import { Failure, firstFailure } from '../../verifier/model/failure.ts'

/** Pauses between tries: doubled each time, up to twice that by chance, so that many do not come back at once. ms. */
export type Patience = { readonly firstMs: number; readonly mostMs: number }

export const PATIENCE: Patience = { firstMs: 500, mostMs: 30_000 }

/** What tells that the attempt is not this worker's any more, whatever it still does. */
const LET_GO: ReadonlySet<string> = new Set([
  'attempt-committed',
  'attempt-queued',
  'attempt-unknown',
  'lease-expired',
  'lease-not-yours',
  'verification-over',
])

/** What no waiting helps against: the worker itself is not wanted, or not understood. */
const UNWANTED: ReadonlySet<string> = new Set([
  'coordinator-not-bitwitness',
  'worker-architecture-unknown',
  'worker-body-unexpected',
  'worker-message-malformed',
  'worker-outdated',
  'worker-signature-invalid',
  'worker-signature-malformed',
  'worker-unknown',
])

export function codeOf(thrown: unknown): string {
  const error = firstFailure(thrown)
  return error instanceof Failure ? error.code : 'internal'
}

export function letsGo(error: unknown): boolean {
  return LET_GO.has(codeOf(error)) || isUnwanted(error)
}

export function isUnwanted(error: unknown): boolean {
  return UNWANTED.has(codeOf(error))
}

export function mayPass(thrown: unknown): boolean {
  const error = firstFailure(thrown)
  return error instanceof Failure && error.retryable
}

/** Does something until it is done or fails for good. Rejects with what failed it, or, once the signal fires, with its reason. */
export async function persist<T>(
  work: () => Promise<T>,
  o: {
    readonly patience: Patience
    readonly signal: AbortSignal
    readonly tries?: number
    readonly onFailed?: (error: unknown) => void
    /** Whether there is no use in another try. */
    readonly enough?: () => boolean
  },
): Promise<T> {
  return await pRetry(work, {
    retries: o.tries === undefined ? Number.POSITIVE_INFINITY : o.tries - 1,
    minTimeout: o.patience.firstMs,
    maxTimeout: o.patience.mostMs,
    factor: 2,
    randomize: true,
    signal: o.signal,
    onFailedAttempt: ({ error }) => o.onFailed?.(error),
    shouldRetry: ({ error }) => mayPass(error) && o.enough?.() !== true,
  })
}
