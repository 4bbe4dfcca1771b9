import { firstFailure } from '../../../verifier/model/failure.ts'
import { retriedBy } from '../store/retry-delay.ts'
import type { TakenJob } from '../store/store-ports.ts'
import { heldJob, JobLost } from './held-job.ts'
import type { JobEnd, JobPorts, JobTiming, JobTrade, OwnJob } from './job-runner.ts'

/** The jobs of one kind: takes as many as may be done at once, and sleeps where there is none. */
export class JobLine<K extends OwnJob> {
  readonly kind: K
  readonly #trade: JobTrade<K>
  readonly #ports: JobPorts
  readonly #timing: JobTiming
  readonly #running = new Set<Promise<void>>()
  /** Whether something happened since the queue was looked into last. */
  #woken = false
  #ring: () => void = () => {}
  /** Whether the queue could not be looked into last time: told once, not at each look. */
  #barred = false

  constructor(kind: K, trade: JobTrade<K>, ports: JobPorts, timing: JobTiming) {
    this.kind = kind
    this.#trade = trade
    this.#ports = ports
    this.#timing = timing
  }

  wake(): void {
    this.#woken = true
    this.#ring()
  }

  async run(signal: AbortSignal): Promise<void> {
    const drained = new AbortController()
    const onStop = (): void => this.wake()
    signal.addEventListener('abort', onStop)
    try {
      while (!signal.aborted) {
        this.#woken = false
        const job = this.#running.size < this.#trade.atOnce ? await this.#take() : undefined
        if (job === undefined) await this.#sleep()
        else this.#begin(job, drained.signal)
      }
    } finally {
      signal.removeEventListener('abort', onStop)
    }
    const timer = setTimeout(() => drained.abort(), this.#timing.drainMs)
    await Promise.all(this.#running)
    clearTimeout(timer)
  }

  async #take(): Promise<TakenJob<K> | undefined> {
    try {
      const job = await this.#ports.unitOfWork.run(({ jobs }) => jobs.take(this.kind))
      this.#barred = false
      return job
    } catch (error) {
      if (!this.#barred) this.#ports.events.trouble({ where: `queue ${this.kind}`, error: firstFailure(error) })
      this.#barred = true
      return undefined
    }
  }

  /** Until somebody wakes it, which may have happened while the queue was looked into. */
  async #sleep(): Promise<void> {
    if (this.#woken) return
    await new Promise<void>((resolve) => {
      this.#ring = resolve
    })
  }

  #begin(job: TakenJob<K>, drained: AbortSignal): void {
    const done = this.#do(job, drained).finally(() => {
      this.#running.delete(done)
      this.wake()
    })
    this.#running.add(done)
  }

  async #do(job: TakenJob<K>, drained: AbortSignal): Promise<void> {
    try {
      await using held = heldJob({ kind: this.kind, job, unitOfWork: this.#ports.unitOfWork, timing: this.#timing })
      await this.#finish(job, await this.#worked(job, AbortSignal.any([held.signal, drained]), drained))
    } catch (error) {
      // Somebody else has the job, whose result it will be.
      if (!(error instanceof JobLost)) this.#tell(job, error)
    }
  }

  async #worked(job: TakenJob<K>, signal: AbortSignal, drained: AbortSignal): Promise<JobEnd<K>> {
    try {
      return await this.#trade.work(job, signal)
    } catch (error) {
      if (signal.aborted && signal.reason instanceof JobLost) throw signal.reason
      if (!drained.aborted) this.#tell(job, error)
      return { end: 'again' }
    }
  }

  /** A result that cannot be written, for whatever reason, leaves the job in the queue: it is done again, by us or another. */
  async #finish(job: TakenJob<K>, result: JobEnd<K>): Promise<void> {
    try {
      await this.#write(job, result)
    } catch (error) {
      if (error instanceof JobLost) throw error
      this.#tell(job, error)
      await this.#write(job, { end: 'again' })
    }
  }

  async #write(job: TakenJob<K>, result: JobEnd<K>): Promise<void> {
    await this.#ports.unitOfWork.run(async (unit) => {
      await result.write?.(unit)
      // Whoever else took it is known by now, and can take it no more until this transaction ends.
      if (!(await unit.jobs.touch(this.kind, job))) throw new JobLost()
      if (result.end === 'again' && result.next === undefined) return await unit.jobs.retry(this.kind, job)
      await unit.jobs.complete(this.kind, job.id)
      const next = result.end === 'again' ? result.next : await result.more?.(unit)
      if (next !== undefined && next !== null) await unit.jobs.enqueue(this.kind, next.data, { after: next.at })
    })
    result.told?.()
  }

  #tell({ id: job, tries }: TakenJob<K>, error: unknown): void {
    const nextAt = retriedBy(this.#ports.now(), tries)
    this.#ports.events.jobFailed({ kind: this.kind, job, tries, nextAt, error: firstFailure(error) })
  }
}
