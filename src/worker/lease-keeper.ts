import { setTimeout as sleep } from 'node:timers/promises'
import type { Coordinator } from '../app/service/coordinator.ts'
import type { WorkerJob } from '../app/service/worker-protocol.ts'
import { codeOf, letsGo } from './patience.ts'

/** After a heartbeat that did not get through. */
const AGAIN_MS = 2000
/** What is answered about an attempt whose report was taken. */
const REPORTED: ReadonlySet<string> = new Set(['attempt-committed', 'attempt-queued'])

/**
 * Keeps the lease of an attempt until it is disposed of. A coordinator that does not answer may be back in time: only its own word ends
 * the work.
 */
export class LeaseKeeper implements AsyncDisposable {
  readonly #job: WorkerJob
  readonly #coordinator: Pick<Coordinator, 'heartbeat'>
  readonly #stop = new AbortController()
  readonly #gone = new AbortController()
  readonly #beating: Promise<void>
  #reporting = false

  constructor(job: WorkerJob, coordinator: Pick<Coordinator, 'heartbeat'>, o: { readonly everyMs?: number } = {}) {
    this.#job = job
    this.#coordinator = coordinator
    this.#beating = this.#beat(o.everyMs ?? job.heartbeatSeconds * 1000)
  }

  /** Fires, with the failure that said so, when the attempt is somebody else's, or nobody's. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  /** Somebody else was told first. */
  letGo(error: unknown): void {
    this.#gone.abort(error)
    this.#stop.abort()
  }

  /** From now on it may be over because its report was taken: what became of that is the report's answer to say, which may come later. */
  reporting(): void {
    this.#reporting = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#beating
  }

  async #beat(everyMs: number): Promise<void> {
    const { signal } = this.#stop
    const beat = { schema: 'bitwitness/worker-heartbeat/v1', lease: this.#job.lease } as const
    for (let pause = everyMs; ; ) {
      await sleep(pause, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      try {
        await this.#coordinator.heartbeat(this.#job.attempt.id, beat)
        pause = everyMs
      } catch (error) {
        if (letsGo(error) && !(this.#reporting && REPORTED.has(codeOf(error)))) this.letGo(error)
        pause = Math.min(everyMs, AGAIN_MS)
      }
    }
  }
}
