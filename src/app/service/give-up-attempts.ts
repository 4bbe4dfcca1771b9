import type { ServicePorts } from './accept-verification.ts'
import { applyEvent } from './apply-event.ts'
import { findAttempt } from './hold-attempt.ts'
import { LOST, type LostLease, MOST_PUT_AWAY } from './lease-attempt.ts'
import { factsOf } from './service-events.ts'

/** Commits attempts of which the queue has given up as `infrastructure`; says how many. */
export async function giveUpAttempts(ports: ServicePorts): Promise<number> {
  const { given, lost } = await ports.unitOfWork.run(async (unit) => {
    const lost: LostLease[] = []
    let given = 0
    for (; given < MOST_PUT_AWAY; given += 1) {
      const job = await unit.jobs.takeDead()
      if (job === undefined) break
      const found = await findAttempt(unit, job.data.attemptId)
      if (found !== undefined) {
        const { life } = found.attempt
        const { changed } = await applyEvent(unit, {
          verificationId: found.attempt.verificationId,
          held: found.held,
          event: { kind: 'attempt', number: found.attempt.number, event: { kind: 'give-up' } },
          at: ports.now(),
          newId: ports.newId,
          reason: LOST,
        })
        if (changed) lost.push({ ...factsOf(found.attempt), worker: life.state === 'leased' ? life.lease.worker : 'none', givenUp: true })
      }
      await unit.jobs.completeDead(job.id)
    }
    return { given, lost }
  })
  for (const one of lost) ports.events?.leaseLost?.(one)
  return given
}
