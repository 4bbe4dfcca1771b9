import type { EventCount } from './event-count.ts'

/** What a coordinator logs about a step of a verification. */
const STEPS: ReadonlySet<string> = new Set([
  'submission accepted',
  'submission prepared',
  'submission answered by an earlier one',
  'verification cancelled',
  'attempt leased',
  'lease lost',
  'attempt ended',
  'verdict given',
  'statement signed',
  'callback sent',
])
/** The same of a worker: a stand-in's news are kinds, a real one's are texts of its log. */
const NEWS: ReadonlySet<string> = new Set([
  'begun',
  'reported',
  'let-go',
  'dropped',
  'attempt begun',
  'stage started',
  'attempt reported',
  'attempt let go of: it is not this worker’s any more',
])
/** What is told where somebody was killed, or an owner cancelled what was being built. */
const EXPECTED: ReadonlySet<string> = new Set([
  'attempt-committed',
  'attempt-queued',
  'callback-failed',
  'callback-timeout',
  'coordinator-unreachable',
  'coordinator-failed',
  'database-collision',
  'database-unreachable',
  'lease-expired',
  'lease-not-yours',
])

type Said = { readonly msg?: string; readonly error?: { readonly code?: string }; readonly code?: string; readonly kind?: string }

/** Listens to what the processes say: counts steps, and keeps what should never be said, however often anything is killed. */
export class Overheard {
  readonly #events: EventCount
  /** How often each was told. */
  readonly troubles = new Map<string, number>()
  readonly wrong: string[] = []

  constructor(events: EventCount) {
    this.#events = events
  }

  coordinator(name: string, line: string): void {
    const said = parsed(line)
    if (said === undefined) return
    if (said.msg !== undefined && STEPS.has(said.msg)) this.#events.add()
    if (said.error !== undefined) this.#trouble(name, said.error.code ?? 'internal', line)
  }

  worker(name: string, line: string): void {
    const said = parsed(line)
    const what = said?.kind ?? said?.msg
    if (what !== undefined && NEWS.has(what)) this.#events.add()
    if (what === 'dropped' || what === 'report dropped: it was not taken' || what === 'outcome not taken by the coordinator')
      this.#trouble(name, said?.code ?? 'none', line)
  }

  #trouble(name: string, code: string, line: string): void {
    this.troubles.set(code, (this.troubles.get(code) ?? 0) + 1)
    if (!EXPECTED.has(code)) this.wrong.push(`${name}: ${line}`)
  }
}

function parsed(line: string): Said | undefined {
  try {
    return JSON.parse(line) as Said
  } catch {
    return undefined
  }
}
