import type { AttemptEvent } from '../../verifier/model/event.ts'

/** Lines that are kept of each attempt. What failed and why is at the end of mkosi's log. */
const LINES = 20

/** The last lines that each attempt wrote, for an answer that says why it did not build. */
export class LogTail {
  readonly #lines = new Map<number, string[]>()

  /** Listens in front of `emit`. */
  before(emit: (event: AttemptEvent) => void): (event: AttemptEvent) => void {
    return (event) => {
      this.#hear(event)
      emit(event)
    }
  }

  /** At most 20 lines, as the event says them: at most 4096 characters each. */
  of(attempt: number): readonly string[] {
    return this.#lines.get(attempt) ?? []
  }

  /** Attempts that wrote anything, by number. */
  attempts(): readonly number[] {
    return [...this.#lines.keys()].toSorted((a, b) => a - b)
  }

  #hear(event: AttemptEvent): void {
    // An attempt that the infrastructure ended is tried again under its number: what it wrote before is no reason of this one.
    if (event.kind === 'stage-started' && event.stage === 'start') this.#lines.delete(event.attempt)
    if (event.kind !== 'log' || event.attempt === 0) return
    const lines = this.#lines.get(event.attempt) ?? []
    lines.push(event.line)
    if (lines.length > LINES) lines.shift()
    this.#lines.set(event.attempt, lines)
  }
}
