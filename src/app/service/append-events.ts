import type { AttemptEvent } from '../../../verifier/model/event.ts'
import { visible } from '../../../verifier/model/visible.ts'
import type { NewEvent, StoredAttempt } from '../store/records.ts'
import type { EventIntake } from '../store/store-ports.ts'
import { heldLease, requireLease } from './held-lease.ts'
import { workerFailure } from './worker-failures.ts'
import type { SpeakingWorker, WorkerPorts } from './worker-ports.ts'
import type { EventBatch } from './worker-protocol.ts'

/** Of one lease. The log itself is a blob, and whole. */
export const MAX_LOG_LINES = 100_000
export const MAX_LOG_BYTES = 32 << 20
/** Stages and their progress, beside lines of the log. */
export const MAX_OTHER_EVENTS = 20_000
const MAX_LINE = 4096

/**
 * Takes what happened meanwhile. Events are known by their numbers: those that were taken before are passed over, so that a batch that is
 * sent again changes nothing. Fails as `heldLease`, with `events-missing`, `events-too-many` and `worker-message-malformed`, and then
 * takes nothing.
 */
export async function appendEvents(
  ports: WorkerPorts,
  worker: SpeakingWorker,
  { attemptId, batch }: { readonly attemptId: string; readonly batch: EventBatch },
): Promise<void> {
  const holder = { attemptId, lease: batch.lease, worker: worker.id }
  const attempt = await heldLease(ports, holder)
  const { events } = batch
  const first = events[0]?.seq ?? 1
  if (events.some(({ seq, attempt: number }, at) => seq !== first + at || number !== attempt.number))
    throw workerFailure('worker-message-malformed')
  await ports.unitOfWork.run(async (unit) => {
    // What is over has had its last event, and what is another's now is told by that one.
    await unit.verifications.holdOff(attempt.verificationId)
    requireLease((await unit.attempts.read(attemptId)) ?? attempt, holder, ports.now())
    const intake = await unit.events.intake(attemptId, batch.lease)
    if (first > intake.next) throw workerFailure('events-missing', { next: intake.next })
    const fresh = events.slice(intake.next - first).map((event) => shown(event, attempt, ports.now()))
    if (fresh.length === 0) return
    await unit.events.took(counted(intake, fresh))
    await unit.events.append(attempt.verificationId, fresh)
  })
}

function counted(intake: EventIntake, fresh: readonly NewEvent[]): EventIntake {
  const lines = fresh.flatMap((event) => (event.kind === 'log' ? [event.line] : []))
  const after = {
    ...intake,
    next: intake.next + fresh.length,
    lines: intake.lines + lines.length,
    bytes: intake.bytes + lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0),
  }
  const others = after.next - 1 - after.lines
  if (after.lines > MAX_LOG_LINES || after.bytes > MAX_LOG_BYTES || others > MAX_OTHER_EVENTS) throw workerFailure('events-too-many')
  return after
}

/** An event as it may be kept: whose text shows what it is, and whose time is one at which its worker had the attempt. */
function shown(told: AttemptEvent, { life }: StoredAttempt, now: Date): NewEvent {
  const { seq: _, ...event } = told
  // What a recipe breaks is found before anything is built, and what differs when all is done: neither by a worker.
  if (event.kind === 'finding') throw workerFailure('worker-message-malformed')
  const since = life.state === 'leased' ? life.lease.since : now.getTime()
  const said = Date.parse(event.at)
  const time = Number.isNaN(said) ? now.getTime() : Math.min(Math.max(said, since), now.getTime())
  const at = new Date(time).toISOString()
  return event.kind === 'log' ? { ...event, at, line: shownLine(event.line) } : { ...event, at }
}

function shownLine(line: string): string {
  return visible(line.slice(0, MAX_LINE)).slice(0, MAX_LINE)
}
