import type { AttemptEvent } from '../../../verifier/model/event.ts'
import type { Verification } from '../store/records.ts'
import type { Reads } from '../store/store-ports.ts'

/** Events that are read at a time, and that are kept for those who follow closely. */
const BATCH = 500

export type FeedPorts = {
  readonly reads: Pick<Reads, 'events' | 'verifications'>
  /** Told of what goes wrong behind everybody's back; it is tried again. */
  readonly onTrouble: (error: unknown) => void
}

/**
 * The events of one verification, read once for all that follow it. Each of them keeps its own place and asks for what comes after it: from
 * the last events, which are in memory, or from the store where it is further behind.
 */
export class EventFeed {
  readonly #ports: FeedPorts
  readonly #id: string
  /** Rises when there is something new to look at. */
  #version = 0
  #beats = 0
  /** Without a gap, up to `#last`. */
  #tail: AttemptEvent[] = []
  /** Number of the last event; null until somebody has read that far. */
  #last: number | null = null
  #over: Verification | null = null
  #running = false
  #again: 'no' | 'events' | 'all' = 'no'
  readonly #waiting = new Set<() => void>()
  /** Reads under way, by version and the place they begin at: a thousand who come at once read once. */
  readonly #reading = new Map<string, Promise<readonly AttemptEvent[]>>()

  constructor(ports: FeedPorts, verificationId: string) {
    this.#ports = ports
    this.#id = verificationId
  }

  get version(): number {
    return this.#version
  }

  get beats(): number {
    return this.#beats
  }

  /** The verification once it is finished or cancelled, which is known only after its last event is. */
  get over(): Verification | null {
    return this.#over
  }

  /** Events after a place, in order, at most some hundred; none where there are none yet. */
  async after(place: number): Promise<readonly AttemptEvent[]> {
    if (this.#last !== null && place >= this.#last) return []
    const first = this.#tail[0]
    if (first !== undefined && place >= first.seq - 1) return this.#tail.slice(place - first.seq + 1)
    // A read of before the last news may not know them.
    const key = `${this.#version} ${place}`
    const read = this.#reading.get(key) ?? this.#read(place)
    this.#reading.set(key, read)
    try {
      return await read
    } finally {
      this.#reading.delete(key)
    }
  }

  /** Looks for news: for events, or also whether the verification is over. */
  refresh(what: 'events' | 'all'): void {
    if (this.#again !== 'all') this.#again = what
    if (this.#running) return
    this.#running = true
    void this.#look()
  }

  /** Lets those who wait say that they are still there. */
  beat(): void {
    this.#beats += 1
    this.#wake()
  }

  /** Until there is news since `version`, a beat, or `signal` fires. */
  async changed(version: number, signal: AbortSignal): Promise<void> {
    if (version !== this.#version || signal.aborted) return
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake)
    })
  }

  async #read(place: number): Promise<readonly AttemptEvent[]> {
    const events = await this.#ports.reads.events.after(this.#id, place, BATCH)
    if (events.length < BATCH && this.#last === null) {
      this.#last = events.at(-1)?.seq ?? place
      this.#tail = [...events]
      // What was said while this was read, that it is over among it, was nobody's to hear.
      this.refresh('all')
    }
    return events
  }

  async #look(): Promise<void> {
    try {
      while (this.#again !== 'no') {
        const what = this.#again
        this.#again = 'no'
        await this.#news(what)
      }
    } catch (error) {
      this.#ports.onTrouble(error)
    } finally {
      this.#running = false
    }
  }

  async #news(what: 'events' | 'all'): Promise<void> {
    // Before the events: what is said of a verification that is over is then all among them.
    const verification = what === 'all' && this.#over === null ? await this.#ports.reads.verifications.read(this.#id) : undefined
    for (let full = true; full && this.#last !== null; ) {
      const events = await this.#ports.reads.events.after(this.#id, this.#last, BATCH)
      full = events.length === BATCH
      this.#last = events.at(-1)?.seq ?? this.#last
      this.#tail = [...this.#tail, ...events].slice(-BATCH)
      if (full) this.#tell()
    }
    // Where nobody has read so far yet, nobody knows the last event.
    const isOver = verification?.state === 'finished' || verification?.state === 'cancelled'
    if (isOver && this.#last !== null) this.#over = verification
    this.#tell()
  }

  #tell(): void {
    this.#version += 1
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
  }
}
