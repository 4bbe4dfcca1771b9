import type { StoredAttempt } from '../store/records.ts'
import type { HeldVerification, Unit } from '../store/store-ports.ts'

const MOST_OPEN = 10_000

/**
 * Queues an attempt for workers; false where it is queued already. Who has more open waits behind who has less: the queue is fair between
 * owners, and in order for each. Workers pass by what they leave to others, by its verification.
 */
export async function queueAttempt(
  { verifications, jobs }: Pick<Unit, 'verifications' | 'jobs'>,
  o: { readonly verificationId: string; readonly held: Pick<HeldVerification, 'submission'>; readonly attempt: StoredAttempt },
): Promise<boolean> {
  const open = await verifications.openOf(o.held.submission.ownerId)
  const place = { priority: -Math.min(open, MOST_OPEN), group: o.verificationId }
  return await jobs.enqueue(`attempt-${o.attempt.route}`, { attemptId: o.attempt.id }, place)
}
