import type { Stage, StageName } from '../model/attempt.ts'
import type { EmitEvent } from '../model/event.ts'

/** Milliseconds between two events that tell the bytes of a stage. */
const TELL_EVERY = 200

/** Times stages one after another: beginning one ends the one before. */
export class StageClock {
  readonly stages: Stage[] = []
  readonly #emit: EmitEvent
  #current: { readonly name: StageName; readonly startedAt: string; readonly from: number; bytes: number | null } | undefined

  #told = 0

  constructor(emit: EmitEvent) {
    this.#emit = emit
  }

  begin(name: StageName): void {
    this.end()
    this.#current = { name, startedAt: new Date().toISOString(), from: performance.now(), bytes: null }
    this.#emit({ kind: 'stage-started', stage: name })
  }

  /** Bytes moved by the stage that runs. */
  moved(bytes: number): void {
    if (this.#current === undefined) return
    this.#current.bytes = (this.#current.bytes ?? 0) + bytes
    if (performance.now() - this.#told < TELL_EVERY) return
    this.#told = performance.now()
    this.#emit({ kind: 'bytes', stage: this.#current.name, done: this.#current.bytes, total: null })
  }

  end(): void {
    if (this.#current === undefined) return
    const { name, startedAt, from, bytes } = this.#current
    const ms = Math.round((performance.now() - from) * 1000) / 1000
    this.#current = undefined
    // What was told last may be long past.
    if (bytes !== null) this.#emit({ kind: 'bytes', stage: name, done: bytes, total: null })
    this.stages.push({ name, startedAt, ms, bytes })
    this.#emit({ kind: 'stage-ended', stage: name, ms })
  }
}

/** Tells of one piece of work as a stage of its own. */
export async function inStage<T>(name: StageName, emit: EmitEvent, work: () => Promise<T>): Promise<T> {
  const stages = new StageClock(emit)
  stages.begin(name)
  try {
    return await work()
  } finally {
    stages.end()
  }
}
