import type { TakenJob, UnitOfWork } from '../store/store-ports.ts'
import type { JobTiming, OwnJob } from './job-runner.ts'

/** Why work on a job ended: somebody else may have it. */
export class JobLost extends Error {
  constructor() {
    super('somebody else may have the job')
    this.name = 'JobLost'
  }
}

export type HeldJob = AsyncDisposable & {
  /** Fires with `JobLost`. */
  readonly signal: AbortSignal
}

/**
 * Keeps a job that was just taken until it is disposed of. A database that does not answer may have kept it all the same; it counts as
 * lost once the queue's patience has passed.
 */
export function heldJob<K extends OwnJob>(o: {
  readonly kind: K
  readonly job: TakenJob<K>
  readonly unitOfWork: UnitOfWork
  readonly timing: Pick<JobTiming, 'touchMs' | 'patienceMs'>
}): HeldJob {
  const { kind, job, unitOfWork, timing } = o
  const lost = new AbortController()
  let kept = performance.now()
  let touching: Promise<void> | undefined
  const touch = async (): Promise<void> => {
    const at = performance.now()
    try {
      if (await unitOfWork.run(({ jobs }) => jobs.touch(kind, job))) kept = at
      else lost.abort(new JobLost())
    } catch {
      // The next one may get through.
    }
  }
  const timer = setInterval(() => {
    if (performance.now() - kept > timing.patienceMs) lost.abort(new JobLost())
    touching ??= touch().finally(() => {
      touching = undefined
    })
  }, timing.touchMs)
  return {
    signal: lost.signal,
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await touching
    },
  }
}
