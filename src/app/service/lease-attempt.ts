import type { OutcomeReason } from '../../../verifier/model/attempt.ts'
import type { VerificationEvent } from '../lifecycle/verification-state.ts'
import type { AttemptRoute, StoredAttempt } from '../store/records.ts'
import type { HeldVerification, Unit } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import { applyEvent } from './apply-event.ts'
import { findAttempt, holdAttempt } from './hold-attempt.ts'
import { factsOf, type ServiceEvents } from './service-events.ts'
import { workerFailure } from './worker-failures.ts'

/** How long a worker keeps an attempt without a heartbeat, where nothing else was chosen; ms. */
export const LEASE_MS = 60_000

export type LeasedAttempt = {
  readonly attempt: StoredAttempt
  readonly lease: string
  readonly expiresAt: Date
  /** What to build. The claims are not part of it. */
  readonly submission: HeldVerification['submission']
  readonly prepared: HeldVerification['prepared']
  /** The other attempts, as they are now: a replay takes lock and builder from the first. */
  readonly attempts: readonly StoredAttempt[]
}

export const LOST: OutcomeReason = { code: 'lease-lost', message: 'the worker was not heard of any more', data: {} }

/** How long a worker may have an attempt, however often it is heard of, where nothing else was chosen; ms. The queue waits for 23 hours. */
const HOLD_MS = 6 * 3600_000

/** How long attempts wait for a worker that had none of their verification, where nothing else was chosen; ms. */
export const SPREAD_MS = 600_000
/** Who has not asked for work for so long may be gone; an answer to who asks takes up to MAX_WAIT_SECONDS. */
const ALIVE_MS = 90_000
/** Verifications of one worker that are left to others at a time. */
const MOST_LEFT = 500

/** Attempts that one worker holds at once, where nothing else was chosen: more than fit on a machine. */
export const HELD_PER_WORKER = 64

/** There are attempts, or may be, and other workers are to have them. */
export const LEFT_TO_OTHERS = 'left-to-others'
export type LeaseAnswer = LeasedAttempt | typeof LEFT_TO_OTHERS | undefined

/** Jobs of which nothing is left to do are put away; so many in one transaction. */
export const MOST_PUT_AWAY = 20

/**
 * Gives a worker the attempt that waits longest on the first of its routes that has one; undefined where none does. Attempts of one
 * verification go to different workers as long as there are some: what a worker had is left to others for a while, and all is where it holds
 * as many as it may. What the signal ends is as if it had never been. Fails with `worker-unknown`.
 */
export async function leaseAttempt(
  ports: ServicePorts,
  { workerId, routes, signal }: { workerId: string; routes: readonly AttemptRoute[]; signal?: AbortSignal },
): Promise<LeaseAnswer> {
  const { leased, lost } = await ports.unitOfWork.run(async (unit): Promise<{ leased: LeaseAnswer; lost: LostLease[] }> => {
    // One claim of a worker at a time: two that did not see each other would have two attempts of one verification.
    if (!(await unit.workers.takes(workerId))) throw workerFailure('worker-unknown')
    const held = await unit.attempts.heldBy(workerId, ports.now())
    if (held >= (ports.heldPerWorker ?? HELD_PER_WORKER)) return { leased: LEFT_TO_OTHERS, lost: [] }
    const lost: LostLease[] = []
    let nothing: typeof LEFT_TO_OTHERS | undefined
    for (const route of routes) {
      const found = await leaseOn(unit, { ports, workerId, route, lost })
      if (found === LEFT_TO_OTHERS) nothing = found
      if (found === undefined || found === LEFT_TO_OTHERS) continue
      signal?.throwIfAborted()
      return { leased: found, lost }
    }
    return { leased: nothing, lost }
  })
  for (const one of lost) ports.events?.leaseLost?.(one)
  if (leased === undefined || leased === LEFT_TO_OTHERS) return leased
  const { attempt } = leased
  const waited = (ports.now().getTime() - attempt.createdAt.getTime()) / 1000
  const waitedSeconds = attempt.life.tries === 1 ? waited : null
  ports.events?.attemptLeased?.({ ...factsOf(attempt), worker: workerId, waitedSeconds })
  // Who waited may have gone while the transaction committed.
  if (signal?.aborted !== true) return leased
  await returnLease(ports, { attemptId: leased.attempt.id, lease: leased.lease, worker: workerId })
  return undefined
}

/** Gives back a lease that never reached its worker: the attempt is tried again at once. */
async function returnLease(ports: ServicePorts, { attemptId, lease }: LeaseHolder): Promise<void> {
  await ports.unitOfWork.run(async (unit) => {
    const { attempt, held } = await holdAttempt(unit, attemptId)
    const { changed, held: after } = await applyEvent(unit, {
      verificationId: attempt.verificationId,
      held,
      event: { kind: 'attempt', number: attempt.number, event: { kind: 'lease-lost', lease } },
      at: ports.now(),
      newId: ports.newId,
      reason: { code: 'lease-lost', message: 'the worker was gone before it had the attempt', data: {} },
    })
    if (!changed || after.attempts.find(({ id }) => id === attemptId)?.life.state !== 'queued') return
    await unit.jobs.retry(`attempt-${attempt.route}`, { id: attempt.id, tries: attempt.life.tries }, { atOnce: true })
  })
}

export type LostLease = Parameters<ServiceEvents['leaseLost']>[0]
type LeaseWork = { readonly ports: ServicePorts; readonly workerId: string; readonly lost: LostLease[] }

async function leaseOn(unit: Unit, { route, ...o }: LeaseWork & { readonly route: AttemptRoute }): Promise<LeaseAnswer> {
  const queue = `attempt-${route}` as const
  const now = o.ports.now()
  const before = (ms: number): Date => new Date(now.getTime() - ms)
  const { workerId } = o
  const times = { waitingSince: before(o.ports.spreadMs ?? SPREAD_MS), aliveSince: before(ALIVE_MS), now }
  const except = await unit.attempts.leftToOthers({ workerId, route, ...times, limit: MOST_LEFT })
  for (let looked = 0; looked < MOST_PUT_AWAY; looked += 1) {
    const job = await unit.jobs.take(queue, { except })
    if (job === undefined) return except.length === 0 ? undefined : LEFT_TO_OTHERS
    const leased = await leaseJob(unit, { ...o, attemptId: job.data.attemptId })
    if (leased !== undefined) return leased
    await unit.jobs.complete(queue, job.id)
  }
  return undefined
}

async function leaseJob(unit: Unit, o: LeaseWork & { readonly attemptId: string }): Promise<LeasedAttempt | undefined> {
  const found = await findAttempt(unit, o.attemptId)
  if (found === undefined) return undefined
  const { attempt } = found
  const at = o.ports.now()
  const apply = (held: HeldVerification, event: Extract<VerificationEvent, { kind: 'attempt' }>['event']) =>
    applyEvent(unit, {
      verificationId: attempt.verificationId,
      held,
      event: { kind: 'attempt', number: attempt.number, event },
      at,
      newId: o.ports.newId,
      reason: LOST,
    })
  // That the queue gives the job out again is how it says that the worker before is lost.
  const { held } = await apply(found.held, { kind: 'lease-lost', lease: null })
  const now = held.life.attempts[attempt.number - 1]
  if (attempt.life.state === 'leased')
    o.lost.push({ ...factsOf(attempt), worker: attempt.life.lease.worker, givenUp: now?.state === 'committed' })
  if (now?.state !== 'queued') return undefined
  const lease = { id: o.ports.newId(), worker: o.workerId, since: at.getTime(), expiresAt: at.getTime() + (o.ports.leaseMs ?? LEASE_MS) }
  const after = await apply(held, { kind: 'lease', lease })
  await unit.attempts.noteWorker(attempt.verificationId, o.workerId)
  const stored = after.held.attempts.find(({ id }) => id === attempt.id)
  return stored === undefined
    ? undefined
    : {
        attempt: stored,
        lease: lease.id,
        expiresAt: new Date(lease.expiresAt),
        submission: held.submission,
        prepared: held.prepared,
        attempts: after.held.attempts,
      }
}

export type LeaseHolder = { readonly attemptId: string; readonly lease: string; readonly worker: string }

/** Keeps a lease; gives its new end. Fails with `lease-not-yours`, `lease-expired`, `attempt-queued` or `attempt-committed`. */
export async function keepLease(ports: ServicePorts, holder: LeaseHolder): Promise<Date> {
  return await ports.unitOfWork.run(async (unit) => {
    const { attempt, held } = await holdAttempt(unit, holder.attemptId)
    const at = ports.now()
    const { life } = attempt
    // A worker that beats and never reports would keep it for ever; what it had is tried again elsewhere.
    const end = life.state === 'leased' ? life.lease.since + (ports.holdMs ?? HOLD_MS) : Number.POSITIVE_INFINITY
    const expiresAt = Math.min(at.getTime() + (ports.leaseMs ?? LEASE_MS), end)
    const beat = { kind: 'heartbeat', lease: holder.lease, worker: holder.worker, at: at.getTime(), expiresAt } as const
    await applyEvent(unit, {
      verificationId: attempt.verificationId,
      held,
      event: { kind: 'attempt', number: attempt.number, event: beat },
      at,
      newId: ports.newId,
      reason: LOST,
    })
    await unit.jobs.touch(`attempt-${attempt.route}`, { id: attempt.id, tries: attempt.life.tries })
    return new Date(expiresAt)
  })
}
