import { setInterval } from 'node:timers'
import { firstFailure } from '../../../verifier/model/failure.ts'
import type { NoticeBoard } from '../store/notice-ports.ts'
import type { JobKinds, TakenJob, Unit } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import { JobLine } from './job-line.ts'
import { listenOnceThere } from './listen-once-there.ts'
import type { ServiceEvents } from './service-events.ts'

/** What coordinators do themselves; an attempt is a worker's. */
export const OWN_JOBS = ['preparation', 'decision', 'signing', 'summary', 'callback', 'deployment', 'observation'] as const
export type OwnJob = (typeof OWN_JOBS)[number]

type Result = {
  /**
   * Runs in the transaction that ends the job, so that a result is there exactly when its job is over; where the database chooses another
   * transaction it runs again, and where somebody else has the job meanwhile, nothing of it stays.
   */
  readonly write?: (unit: Unit) => Promise<void>
  /** Runs once that transaction is over. */
  readonly told?: () => void
}

/** The same kind of job, later. */
type NextJob<K extends OwnJob> = { readonly at: Date; readonly data: JobKinds[K] }

/** What came of a job. */
export type JobEnd<K extends OwnJob> = Result &
  /** `more` is asked in the same transaction whether there is something to be done again by now: what was added while it ran has no job of its own. */
  (
    | { readonly end: 'done'; readonly more?: (unit: Unit) => Promise<NextJob<K> | null> }
    /** Tried again after the queue's delay, which grows, or, with `next`, as a new job that begins then and knows what `data` says. */
    | { readonly end: 'again'; readonly next?: NextJob<K> }
  )

/** Does one job outside of any transaction. `signal` fires when somebody else may have it by now, and when the coordinator is to end. */
export type JobWork<K extends OwnJob> = (job: TakenJob<K>, signal: AbortSignal) => Promise<JobEnd<K>>

/** How one kind is done, and how many at once. */
export type JobTrade<K extends OwnJob> = { readonly work: JobWork<K>; readonly atOnce: number }
export type JobTrades = { readonly [K in OwnJob]: JobTrade<K> }

/** All in milliseconds. */
export type JobTiming = {
  /** How often the queue is looked into where no notice came. */
  readonly pollMs: number
  /** How often a job that is worked on is kept. */
  readonly touchMs: number
  /** After how long without that somebody else may have it: the queue's own patience. */
  readonly patienceMs: number
  /** How long what is under way may take when the coordinator is to end, before it is given back. */
  readonly drainMs: number
}

export const JOB_TIMING: JobTiming = { pollMs: 3000, touchMs: 5000, patienceMs: 15_000, drainMs: 10_000 }

export type JobPorts = Pick<ServicePorts, 'unitOfWork' | 'now'> & {
  readonly notices: NoticeBoard
  /** Told of what went wrong and was not a job's own matter: a defect of ours, or a database that was away. */
  readonly events: Pick<ServiceEvents, 'jobFailed' | 'trouble'>
}

/**
 * Does a coordinator's jobs until the signal fires, and resolves once what was under way has ended or was given back. Nothing that a job
 * does ends it otherwise, nor does a database that is away, at first or later. Any number of coordinators may do this on one database.
 */
export async function runJobs(ports: JobPorts, trades: JobTrades, signal: AbortSignal, timing: JobTiming = JOB_TIMING): Promise<void> {
  const lines = [
    new JobLine('preparation', trades.preparation, ports, timing),
    new JobLine('decision', trades.decision, ports, timing),
    new JobLine('signing', trades.signing, ports, timing),
    new JobLine('summary', trades.summary, ports, timing),
    new JobLine('callback', trades.callback, ports, timing),
    new JobLine('deployment', trades.deployment, ports, timing),
    new JobLine('observation', trades.observation, ports, timing),
  ]
  const wakeAll = (): void => {
    for (const line of lines) line.wake()
  }
  const onNotice = (about: string): void => lines.find(({ kind }) => kind === about)?.wake()
  await using _listening = listenOnceThere({
    listen: () => ports.notices.listen('jobs', { onNotice, onGap: wakeAll }),
    againMs: timing.pollMs,
    onTrouble: (error) => ports.events.trouble({ where: 'notices', error: firstFailure(error) }),
    onListen: wakeAll,
  })
  // What waits for its time sends no notice when that comes.
  const poll = setInterval(wakeAll, timing.pollMs)
  try {
    await Promise.all(lines.map((line) => line.run(signal)))
  } finally {
    clearInterval(poll)
  }
}
