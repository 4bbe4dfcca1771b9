import { setTimeout as sleep } from 'node:timers/promises'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { Coordinator } from '../app/service/coordinator.ts'
import type { RunJob } from '../app/service/run-job.ts'
import type { WorkerClaim, WorkerJob } from '../app/service/worker-protocol.ts'
import { isUnwanted, mayPass, PATIENCE, type Patience, persist } from './patience.ts'
import { workOn } from './work-on.ts'
import type { WorkerNews } from './worker-news.ts'

export type WorkerTiming = {
  /** How long a claim waits for an attempt, in seconds. */
  readonly waitSeconds: number
  /** How long what runs may go on when the worker is to end; ms. Then it is stopped, and somebody else gets it. */
  readonly drainMs: number
  /** How long the reports of what was stopped may take; ms. */
  readonly lastMs: number
  /** How long nothing is begun where this machine cannot; ms. */
  readonly holdMs: number
  readonly patience: Patience
  /** Null: as each job says. */
  readonly heartbeatMs: number | null
}

export const WORKER_TIMING: WorkerTiming = {
  waitSeconds: 25,
  drainMs: 600_000,
  lastMs: 15_000,
  holdMs: 30_000,
  patience: PATIENCE,
  heartbeatMs: null,
}

export type WorkerOptions = {
  readonly coordinator: Coordinator
  readonly blobs: BlobStore
  readonly runJob: RunJob
  readonly capabilities: () => Promise<WorkerClaim['capabilities']>
  /** Attempts that run side by side. */
  readonly slots: number
  /** Why nothing more can be begun here now; null: it can. `idle`: nothing runs, so that nothing at hand is needed. */
  readonly obstacle: (o: { readonly idle: boolean }) => Promise<Failure | null>
  readonly version: string
  readonly timing?: Partial<WorkerTiming>
  readonly tell: (news: WorkerNews) => void
  /** Fired, nothing more is claimed, and what runs is brought to its end. */
  readonly signal: AbortSignal
}

/**
 * Claims attempts and runs them until it is to end. Outages of the coordinator are waited through. Rejects where the coordinator does not
 * want this worker, once what ran has ended. Nothing on disk matters to it: killed at any moment, its attempts are tried again elsewhere.
 */
export async function runWorker(o: WorkerOptions): Promise<void> {
  await new WorkerLoop(o).run()
}

class WorkerLoop {
  readonly #o: WorkerOptions
  readonly #timing: WorkerTiming
  readonly #running = new Set<Promise<void>>()
  /** Fires when what runs is to stop. */
  readonly #stop = new AbortController()
  /** Fires when not even reports are waited for. */
  readonly #late = new AbortController()
  #holding = false

  constructor(o: WorkerOptions) {
    this.#o = o
    this.#timing = { ...WORKER_TIMING, ...o.timing }
  }

  async run(): Promise<void> {
    const { signal, slots } = this.#o
    try {
      while (!signal.aborted) {
        if (this.#running.size >= slots) await this.#untilFree()
        else if (await this.#isFit()) await this.#next()
      }
    } finally {
      await this.#drain()
    }
  }

  async #untilFree(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { signal } = this.#o
    signal.addEventListener('abort', () => resolve(), { once: true })
    await Promise.race([...this.#running, promise])
  }

  async #isFit(): Promise<boolean> {
    const obstacle = await this.#o.obstacle({ idle: this.#running.size === 0 })
    if (obstacle === null) {
      this.#goOn()
      return true
    }
    this.#hold(obstacle)
    await this.#pause(this.#timing.holdMs)
    return false
  }

  async #next(): Promise<void> {
    const { signal } = this.#o
    try {
      const job = await persist(() => this.#claim(), { patience: this.#timing.patience, signal, onFailed: (error) => this.#failed(error) })
      this.#goOn()
      if (job !== undefined) this.#begin(job)
    } catch (error) {
      if (signal.aborted) return
      if (isUnwanted(error)) throw error
      // A defect, or a coordinator that says what it should not: waited for as for any other trouble.
      this.#failed(error)
      await this.#pause(this.#timing.patience.mostMs)
    }
  }

  async #claim(): Promise<WorkerJob | undefined> {
    const capabilities = await this.#o.capabilities()
    const { waitSeconds } = this.#timing
    return await this.#o.coordinator.claim({ schema: 'bitwitness/worker-claim/v1', capabilities, waitSeconds }, this.#o.signal)
  }

  #begin(job: WorkerJob): void {
    const { coordinator, blobs, runJob, version, tell } = this.#o
    const { patience, heartbeatMs } = this.#timing
    const done = workOn(job, {
      coordinator,
      blobs,
      runJob,
      version,
      tell,
      patience,
      heartbeatMs,
      stop: this.#stop.signal,
      late: this.#late.signal,
    }).finally(() => {
      this.#running.delete(done)
    })
    this.#running.add(done)
  }

  async #drain(): Promise<void> {
    if (this.#running.size === 0) return
    const { drainMs, lastMs } = this.#timing
    this.#o.tell({ kind: 'draining', running: this.#running.size, graceMs: drainMs })
    const stop = setTimeout(() => this.#stop.abort(), drainMs)
    const late = setTimeout(() => this.#late.abort(), drainMs + lastMs)
    await Promise.all(this.#running)
    clearTimeout(stop)
    clearTimeout(late)
  }

  #failed(error: unknown): void {
    if (this.#o.signal.aborted || isUnwanted(error)) return
    const internal = { code: 'internal', message: 'something went wrong inside bitwitness', hint: 'report it', retryable: mayPass(error) }
    this.#hold(error instanceof Failure ? error : new Failure(internal))
  }

  /** Told once, not at each look. */
  #hold({ code, message }: Failure): void {
    if (!this.#holding) this.#o.tell({ kind: 'holding', code, message })
    this.#holding = true
  }

  #goOn(): void {
    if (this.#holding) this.#o.tell({ kind: 'going-on' })
    this.#holding = false
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#o.signal }).catch(() => {})
  }
}
