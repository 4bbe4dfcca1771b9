import type { BlobStore } from '../../verifier/model/blob-store.ts'
import type { Coordinator } from '../app/service/coordinator.ts'
import type { JobRun, RunJob } from '../app/service/run-job.ts'
import type { WorkerJob } from '../app/service/worker-protocol.ts'
import { deliver, failedRun } from './deliver.ts'
import { EventSender } from './event-sender.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { codeOf, letsGo, type Patience } from './patience.ts'
import type { WorkerNews } from './worker-news.ts'

export type WorkOptions = {
  readonly coordinator: Coordinator
  readonly blobs: BlobStore
  readonly runJob: RunJob
  readonly version: string
  readonly patience: Patience
  readonly heartbeatMs: number | null
  readonly tell: (news: WorkerNews) => void
  /** Fired, the attempt is stopped and reported as such. */
  readonly stop: AbortSignal
  /** Fired, nothing is waited for any more. */
  readonly late: AbortSignal
}

/** How long the last lines of the log may take before the report goes; ms. */
const LAST_EVENTS_MS = 3000

/** Runs one attempt from its claim to its report. Never rejects. */
export async function workOn(job: WorkerJob, o: WorkOptions): Promise<void> {
  const { id: attempt, verificationId: verification, number, mode } = job.attempt
  const about = { attempt, verification, number }
  const { coordinator, blobs, version, patience, tell } = o
  tell({ ...about, kind: 'begun', mode })
  await using lease = new LeaseKeeper(job, coordinator, o.heartbeatMs === null ? {} : { everyMs: o.heartbeatMs })
  const events = new EventSender({ job, coordinator, patience, onGone: (error) => lease.letGo(error) })
  await using run = await ran(job, o, {
    coordinator,
    signal: AbortSignal.any([o.stop, lease.gone]),
    emit: (event) => {
      events.emit(event)
      tell({ ...about, kind: 'event', event })
    },
  })
  if (lease.gone.aborted) {
    await events.end(0)
    tell({ ...about, kind: 'let-go', code: codeOf(lease.gone.reason) })
    return
  }
  await events.end(LAST_EVENTS_MS)
  try {
    const signal = AbortSignal.any([o.late, lease.gone])
    const onReport = (): void => lease.reporting()
    tell({ ...about, kind: 'reported', ...(await deliver(run, { coordinator, blobs, job, version, patience, signal, onReport })) })
  } catch (error) {
    const told = lease.gone.aborted ? lease.gone.reason : error
    tell({ ...about, kind: letsGo(told) ? 'let-go' : 'dropped', code: codeOf(told) })
  }
}

async function ran(job: WorkerJob, { runJob }: WorkOptions, context: Parameters<RunJob>[1]): Promise<JobRun> {
  try {
    return await runJob(job, context)
  } catch (error) {
    return failedRun(job, error, context.signal.aborted)
  }
}
