import { attemptWithoutRun, type Outcome, type OutcomeReason } from '../../verifier/model/attempt.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import { Failure, firstFailure } from '../../verifier/model/failure.ts'
import type { Coordinator } from '../app/service/coordinator.ts'
import { reportDocument } from '../app/service/report-document.ts'
import type { JobRun } from '../app/service/run-job.ts'
import type { ReportAnswer, WorkerJob } from '../app/service/worker-protocol.ts'
import { handOver } from './hand-over.ts'
import { codeOf, letsGo, type Patience, persist } from './patience.ts'

export type Delivery = {
  readonly coordinator: Coordinator
  readonly blobs: BlobStore
  readonly job: WorkerJob
  readonly version: string
  readonly patience: Patience
  readonly signal: AbortSignal
  /** Told before a report goes. */
  readonly onReport: () => void
}

/** `refused`: why the outcome was not taken, and a failure of ours was reported in its place. */
export type Delivered = ReportAnswer & { readonly outcome: Outcome; readonly refused: string | null }

/** How often a blob may break off while the coordinator answers everything else: one that is refused early looks like that. */
const BROKEN = 6
/** How often what a report names is handed over again because the coordinator says that it lacks some. */
const ROUNDS = 3

/**
 * Hands over what came of a run, then reports it, through outages of any length. What the coordinator refuses as a report is reported as a
 * failure of ours, so that the attempt is tried again, and nobody waits for a lease to run out. Rejects where the attempt is not this
 * worker's any more, or not even that was taken.
 */
export async function deliver(run: JobRun, o: Delivery): Promise<Delivered> {
  const { outcome } = run.attempt
  try {
    return { ...(await reported(lightened(run), o)), outcome, refused: null }
  } catch (error) {
    o.signal.throwIfAborted()
    if (letsGo(error)) throw error
    return { ...(await reported(failedRun(o.job, error), o)), outcome, refused: codeOf(error) }
  }
}

async function reported(run: JobRun, o: Delivery): Promise<ReportAnswer> {
  const { coordinator, blobs, job, patience, signal, onReport } = o
  const document = reportDocument(job, run, o.version)
  let broken = 0
  const onBroken = (): void => {
    broken += 1
  }
  for (let round = 1; ; round += 1) {
    await persist(() => handOver({ coordinator, blobs, job, run, signal, onBroken }), { patience, signal, enough: () => broken >= BROKEN })
    onReport()
    try {
      return await persist(() => coordinator.report(job.attempt.id, document), { patience, signal })
    } catch (error) {
      if (codeOf(error) !== 'report-blobs-missing' || round === ROUNDS) throw error
    }
  }
}

/** Of what says nothing about the image nobody needs more than the log, and of what was stopped not even that. */
function lightened(run: JobRun): JobRun {
  const { outcome, log } = run.attempt
  if (outcome !== 'cancelled' && outcome !== 'infrastructure') return run
  const attempt = { ...run.attempt, artifacts: [], lock: null, builder: null, log: outcome === 'cancelled' ? null : log }
  return { ...run, attempt, builder: null, indexes: [], [Symbol.asyncDispose]: async () => {} }
}

/** A run of which nothing came but a failure, or, where it was stopped, not even that. */
export function failedRun({ attempt: { number, mode } }: WorkerJob, error: unknown, stopped = false): JobRun {
  const ended = stopped
    ? ({ outcome: 'cancelled', reason: null } as const)
    : ({ outcome: 'infrastructure', reason: reasonOf(error) } as const)
  return {
    attempt: attemptWithoutRun({ number, mode, ...ended }),
    treeDigest: null,
    builder: null,
    indexes: [],
    files: new Map(),
    [Symbol.asyncDispose]: async () => {},
  }
}

function reasonOf(thrown: unknown): OutcomeReason {
  const error = firstFailure(thrown)
  if (error instanceof Failure) return { code: error.code, message: error.message, data: {} }
  return { code: 'internal', message: 'an unexpected failure on the side of the worker', data: {} }
}
