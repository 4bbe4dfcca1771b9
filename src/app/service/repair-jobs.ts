import { attemptsCommitted } from '../lifecycle/verification-state.ts'
import type { ListedDeployment } from '../store/deployment-ports.ts'
import { MAX_PAGE } from '../store/page.ts'
import type { HeldVerification, Reads, Unit } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import { queueAttempt } from './queue-attempt.ts'

/** Later than anything that waits. */
const EVER = new Date('9999-12-31T00:00:00Z')
const MOST_TASKS = 100_000

/**
 * Sees to it that everything that is open has the job that leads on. State and job change together, so that nothing is missing; a database
 * that was restored, or a queue that was emptied by hand, is another matter. Says how many were. Done once at the start.
 */
export async function repairJobs(
  ports: ServicePorts & { readonly reads: Pick<Reads, 'attestations' | 'deployments' | 'gateStandings' | 'verifications'> },
): Promise<number> {
  let made = 0
  for (let cursor: string | null = null; ; ) {
    const page = await ports.reads.verifications.open({ cursor, limit: MAX_PAGE })
    for (const { id } of page.items)
      made += await ports.unitOfWork.run(async (unit) => {
        const held = await unit.verifications.hold(id)
        return held === undefined ? 0 : await repair(unit, id, held)
      })
    if (page.next === null) break
    cursor = page.next
  }
  for (const { verificationId, predicateType } of await ports.reads.attestations.due(EVER, MOST_TASKS))
    if (await ports.unitOfWork.run(({ jobs }) => jobs.enqueue('signing', { verificationId, predicateType }))) made += 1
  for (const key of await ports.reads.gateStandings.unsigned(MOST_TASKS))
    if (await ports.unitOfWork.run(({ jobs }) => jobs.enqueue('summary', key))) made += 1
  for (let cursor: string | null = null; ; ) {
    const page = await ports.reads.deployments.alive({ cursor, limit: MAX_PAGE })
    for (const deployment of page.items) made += await ports.unitOfWork.run(({ jobs }) => repairDeployment(jobs, deployment))
    if (page.next === null) break
    cursor = page.next
  }
  return made
}

async function repairDeployment(jobs: Unit['jobs'], { id: deploymentId, state, url }: ListedDeployment): Promise<number> {
  if (state !== 'running' && state !== 'announced') return Number(await jobs.enqueue('deployment', { deploymentId }))
  return url === null ? 0 : Number(await jobs.enqueue('observation', { deploymentId }))
}

async function repair(unit: Unit, verificationId: string, held: HeldVerification): Promise<number> {
  const { jobs } = unit
  const { life, attempts } = held
  if (life.state === 'accepted') return Number(await jobs.enqueue('preparation', { verificationId }))
  if (life.state !== 'running') return 0
  if (attemptsCommitted(life)) return Number(await jobs.enqueue('decision', { verificationId }))
  let made = 0
  for (const attempt of attempts)
    if (attempt.life.state !== 'committed' && (await queueAttempt(unit, { verificationId, held, attempt }))) made += 1
  return made
}
