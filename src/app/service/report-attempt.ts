import type { Attempt, OutcomeReason } from '../../../verifier/model/attempt.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { SignedIndex } from '../../../verifier/model/lock.ts'
import type { StoredAttempt } from '../store/records.ts'
import type { Unit } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import { applyEvent } from './apply-event.ts'
import { type HeldAttempt, holdAttempt } from './hold-attempt.ts'
import type { LeaseHolder } from './lease-attempt.ts'

/** `digest` is of the document as it was sent. */
export type Reported = LeaseHolder & { readonly report: Attempt; readonly indexes?: readonly SignedIndex[]; readonly digest: Sha256 }

const NONE: OutcomeReason = { code: 'none', message: '', data: {} }

/**
 * Takes the report of the worker that holds the lease. The same report again is answered like the first. Fails with `attempt-unknown`,
 * `lease-not-yours`, `lease-expired`, `attempt-queued` or `attempt-committed`.
 */
export async function reportAttempt(ports: ServicePorts, o: Reported): Promise<StoredAttempt> {
  return await ports.unitOfWork.run(
    async (unit) => (await takeReported(unit, { ...ports, ...o, found: await holdAttempt(unit, o.attemptId) })).stored,
  )
}

/** The same, as a part of a unit of work that has the attempt held. */
export async function takeReported(
  unit: Unit,
  o: Pick<ServicePorts, 'now' | 'newId'> & Reported & { readonly found: HeldAttempt },
): Promise<{ readonly changed: boolean; readonly stored: StoredAttempt }> {
  const { attempt, held } = o.found
  const at = o.now()
  const { lease, worker, digest, report } = o
  const said = { kind: 'report', lease, worker, outcome: report.outcome, digest, at: at.getTime() } as const
  const { changed, held: after } = await applyEvent(unit, {
    verificationId: attempt.verificationId,
    held,
    event: { kind: 'attempt', number: attempt.number, event: said },
    at,
    newId: o.newId,
    report,
    indexes: o.indexes ?? [],
    reason: NONE,
  })
  const stored = after.attempts.find(({ id }) => id === attempt.id) ?? attempt
  const job = { id: attempt.id, tries: attempt.life.tries }
  if (changed && stored.life.state === 'committed') await unit.jobs.complete(`attempt-${attempt.route}`, attempt.id)
  // A worker that stops has nothing against the attempt: any other may have it now.
  if (changed && stored.life.state === 'queued')
    await unit.jobs.retry(`attempt-${attempt.route}`, job, { atOnce: report.outcome === 'cancelled' })
  return { changed, stored }
}
