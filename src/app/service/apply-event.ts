import { type Attempt, attemptWithoutRun, type OutcomeReason } from '../../../verifier/model/attempt.ts'
import type { SignedIndex } from '../../../verifier/model/lock.ts'
import { attemptsCommitted, transition, type VerificationEvent, type VerificationLife } from '../lifecycle/verification-state.ts'
import { ARCHITECTURES, type AttemptRoute, type StoredAttempt } from '../store/records.ts'
import type { HeldVerification, Unit } from '../store/store-ports.ts'
import { queueAttempt } from './queue-attempt.ts'
import { transitionRefused } from './transition-refused.ts'

export type Happening = {
  readonly verificationId: string
  readonly held: HeldVerification
  readonly event: VerificationEvent
  readonly at: Date
  readonly newId: () => string
  /** What a worker said of the attempt that the event is about. */
  readonly report?: Attempt
  /** Signed indexes that it took packages by. */
  readonly indexes?: readonly SignedIndex[]
  /** Why a try or an attempt ended that no worker reported. */
  readonly reason: OutcomeReason
}

/**
 * Writes what an event makes of a verification that is held, and queues the attempts that it opens. Gives the verification as it is now
 * and whether anything changed; fails with the code of what cannot be. A verdict, and that it was cancelled, are left to the caller.
 */
export async function applyEvent(
  unit: Unit,
  happening: Happening,
): Promise<{ readonly changed: boolean; readonly held: HeldVerification }> {
  const { verificationId, held, event, at } = happening
  const step = transition(held.life, event)
  if (step.result === 'illegal') throw transitionRefused(step.code)
  if (step.result === 'unchanged') return { changed: false, held }
  const attempts: StoredAttempt[] = []
  for (const attempt of held.attempts) {
    const life = step.life.attempts[attempt.number - 1] ?? attempt.life
    if (life === attempt.life) {
      attempts.push(attempt)
      continue
    }
    const report = life.state === 'committed' ? committedReport(attempt, life.outcome, happening) : null
    const indexes = report === null ? [] : (happening.indexes ?? [])
    const saved = { ...attempt, life, report, indexes, committedAt: report === null ? null : at }
    await unit.attempts.save(saved, { report, at })
    if (report !== null) await unit.handedBlobs.forget(attempt.id)
    attempts.push(saved)
  }
  for (const { attempt: number, ended } of step.ended) {
    const { id: attemptId } = attempts[number - 1] ?? { id: '' }
    const { id: lease, worker, since } = ended.lease
    const reason = ended.ending === 'committed' ? null : (happening.report?.reason ?? happening.reason)
    await unit.attempts.addTry({
      attemptId,
      number: ended.number,
      lease,
      worker,
      startedAt: new Date(since),
      endedAt: at,
      ending: ended.ending,
      reason,
    })
  }
  for (const number of step.opened) attempts.push(await openAttempt(unit, { happening, number }))
  await advance(unit, { verificationId, before: held.life, after: step.life })
  if (step.life.state !== 'running' || attemptsCommitted(step.life)) await unit.attempts.forgetWorkers(verificationId)
  // A heartbeat is nothing that anybody waits for.
  if (event.kind !== 'attempt' || event.event.kind !== 'heartbeat') await unit.notices.send('verifications', verificationId)
  return { changed: true, held: { ...held, life: step.life, attempts } }
}

/** A new attempt and its job. */
async function openAttempt(unit: Unit, { happening, number }: { happening: Happening; number: number }): Promise<StoredAttempt> {
  const { verificationId, held, at, newId } = happening
  const attempt: StoredAttempt = {
    id: newId(),
    verificationId,
    number,
    mode: number === 1 && !held.life.locked ? 'live' : 'replay',
    route: routeOf(held),
    life: { state: 'queued', tries: 0 },
    report: null,
    indexes: [],
    createdAt: at,
    committedAt: null,
  }
  await unit.attempts.insert(attempt)
  await queueAttempt(unit, { verificationId, held, attempt })
  return attempt
}

/** Whoever prepares refuses a recipe that no worker can build. */
function routeOf({ prepared, submission }: HeldVerification): AttemptRoute {
  const architecture = ARCHITECTURES.find((one) => one === prepared?.architecture)
  if (architecture === undefined) throw new TypeError('an attempt of what is not prepared')
  return `${architecture}-${submission.trusted ? 'trusted' : 'stranger'}`
}

async function advance(
  { verifications, jobs }: Unit,
  { verificationId, before, after }: { verificationId: string; before: VerificationLife; after: VerificationLife },
): Promise<void> {
  if (after.state !== 'running') return
  const committed = attemptsCommitted(after)
  if (before.state === after.state && committed === attemptsCommitted(before)) return
  await verifications.advance(verificationId, { state: 'running', committed })
  if (committed) await jobs.enqueue('decision', { verificationId })
}

/** The document of an attempt that is committed: the worker's where it reported this outcome, else one that says what ended it. */
function committedReport({ number, mode }: StoredAttempt, outcome: Attempt['outcome'], { report, reason }: Happening): Attempt {
  return report === undefined ? attemptWithoutRun({ number, mode, outcome, reason }) : { ...report, number, mode, outcome }
}
