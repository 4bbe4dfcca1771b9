import { setTimeout as sleep } from 'node:timers/promises'
import type { AttemptEvent, EventBody } from '../../verifier/model/event.ts'
import type { Coordinator } from '../app/service/coordinator.ts'
import { MAX_EVENTS_PER_BATCH, type WorkerJob } from '../app/service/worker-protocol.ts'
import { codeOf, letsGo, PATIENCE, type Patience, persist } from './patience.ts'

export type SenderOptions = {
  readonly job: WorkerJob
  readonly coordinator: Pick<Coordinator, 'events'>
  /** Told that the attempt is not this worker's any more. */
  readonly onGone: (error: unknown) => void
  readonly everyMs?: number
  readonly patience?: Patience
}

const EVERY_MS = 250
/** Characters of log in one batch: the document has a bound of its own. */
const MAX_CHARACTERS = 1 << 20
/** What waits while the coordinator is away; the log itself is kept whole elsewhere. */
const MAX_WAITING = 20_000

type Waiting = EventBody & { readonly at: string }

/** Sends what happens in an attempt, in order and each once, a few times a second. Losing it loses nothing that a verdict rests on. */
export class EventSender {
  readonly #o: SenderOptions
  readonly #stop = new AbortController()
  readonly #ended = new AbortController()
  readonly #sending: Promise<void>
  #waiting: Waiting[] = []
  #next = 1
  /** The coordinator keeps no more of the log. */
  #quiet = false

  constructor(o: SenderOptions) {
    this.#o = o
    this.#sending = this.#send()
  }

  readonly emit = (event: EventBody): void => {
    if (this.#stop.signal.aborted || event.kind === 'finding' || (event.kind === 'log' && this.#quiet)) return
    const waiting = { ...event, at: new Date().toISOString() }
    if (event.kind === 'bytes') {
      // Only the newest says something.
      const at = this.#waiting.findIndex((one) => one.kind === 'bytes' && one.stage === event.stage)
      if (at >= 0) this.#waiting.splice(at, 1)
    } else if (this.#waiting.length >= MAX_WAITING) return
    this.#waiting.push(waiting)
  }

  /** Sends what is left, as far as that is done within the time. */
  async end(withinMs: number): Promise<void> {
    this.#ended.abort()
    const late = setTimeout(() => this.#stop.abort(), withinMs)
    await this.#sending
    clearTimeout(late)
    this.#stop.abort()
  }

  async #send(): Promise<void> {
    const { everyMs = EVERY_MS } = this.#o
    const ended = this.#ended.signal
    while (!this.#stop.signal.aborted) {
      const last = ended.aborted
      if (!last) await sleep(everyMs, undefined, { signal: AbortSignal.any([ended, this.#stop.signal]) }).catch(() => {})
      while (this.#waiting.length > 0 && !this.#stop.signal.aborted) await this.#sendOne(this.#batch())
      if (last) return
    }
  }

  #batch(): AttemptEvent[] {
    let [count, characters] = [0, 0]
    for (const event of this.#waiting) {
      characters += event.kind === 'log' ? event.line.length : 0
      if (count === MAX_EVENTS_PER_BATCH || (count > 0 && characters > MAX_CHARACTERS)) break
      count += 1
    }
    const { number } = this.#o.job.attempt
    return this.#waiting.splice(0, count).map((event, index) => ({ ...event, seq: this.#next + index, attempt: number }))
  }

  async #sendOne(events: AttemptEvent[]): Promise<void> {
    const { job, coordinator, patience = PATIENCE } = this.#o
    const batch = { schema: 'bitwitness/worker-events/v1', lease: job.lease, events } as const
    try {
      await persist(() => coordinator.events(job.attempt.id, batch), { patience, signal: this.#stop.signal })
      this.#next += events.length
    } catch (error) {
      if (this.#stop.signal.aborted) return
      if (letsGo(error)) this.#o.onGone(error)
      if (codeOf(error) === 'events-too-many' && !this.#quiet) this.#beQuiet(events)
      else this.#stop.abort()
    }
  }

  /** What was refused is sent again without its lines. */
  #beQuiet(refused: readonly AttemptEvent[]): void {
    this.#quiet = true
    // Both have all that they had while they waited; numbers are given anew.
    this.#waiting = [...refused, ...this.#waiting].filter(({ kind }) => kind !== 'log')
  }
}
