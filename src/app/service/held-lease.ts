import { transitionAttempt } from '../lifecycle/attempt-state.ts'
import type { StoredAttempt } from '../store/records.ts'
import type { Reads } from '../store/store-ports.ts'
import { attemptUnknown } from './hold-attempt.ts'
import type { LeaseHolder } from './lease-attempt.ts'
import { transitionRefused } from './transition-refused.ts'

/**
 * The attempt that a worker speaks for, if it holds it now. Fails with `attempt-unknown`, `lease-not-yours`, `lease-expired`,
 * `attempt-queued` or `attempt-committed`. Looked at without a lock: what changes the attempt asks again.
 */
export async function heldLease(
  { reads, now }: { readonly reads: Pick<Reads, 'attempts'>; readonly now: () => Date },
  holder: LeaseHolder,
): Promise<StoredAttempt> {
  const attempt = await reads.attempts.read(holder.attemptId)
  if (attempt === undefined) throw attemptUnknown()
  requireLease(attempt, holder, now())
  return attempt
}

/** The same of an attempt that was read. */
export function requireLease({ life }: StoredAttempt, { lease, worker }: Omit<LeaseHolder, 'attemptId'>, now: Date): void {
  const at = now.getTime()
  const kept = transitionAttempt(life, { kind: 'heartbeat', lease, worker, at, expiresAt: at })
  if (kept.result === 'illegal') throw transitionRefused(kept.code)
}
