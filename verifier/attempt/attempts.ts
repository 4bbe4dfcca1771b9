import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OutcomeReason } from '../model/attempt.ts'
import type { AttemptEvent, EventBody } from '../model/event.ts'
import type { InputLock } from '../model/lock.ts'
import type { RecipeReading } from '../model/recipe.ts'
import type { AttemptResult } from './attempt.ts'
import { attemptWithoutInputs, buildFromLock, buildOnce, type Workshop } from './workshop.ts'

/** What attempts need from around them. */
export type AttemptsWorkshop = Workshop & {
  /** How many attempts may run side by side. */
  readonly slots: number
  /** Private scratch folder of this verification; the caller removes it. */
  readonly folder: string
}

export type AttemptsRequest = {
  readonly source: () => AsyncIterable<Uint8Array>
  readonly reading: RecipeReading
  readonly profiles: readonly string[]
  readonly attempts: number
  /** The publisher's: with it every attempt is a replay. */
  readonly lock: InputLock | null
  readonly emit: (event: AttemptEvent) => void
  readonly signal: AbortSignal
}

export type AttemptsResult = { readonly results: readonly AttemptResult[]; readonly lock: InputLock | null }

/** How often an attempt that ended as `infrastructure` is tried again, and the pause before, ms. */
const RETRY_PAUSES = [1000, 5000] as const

/** Runs the attempts of one verification or check: one live that records its inputs, the others replays of them; or replays of a given lock. */
export async function runAttempts(workshop: AttemptsWorkshop, request: AttemptsRequest): Promise<AttemptsResult> {
  if (request.lock !== null) return { results: await replaysOf(request.lock, workshop, request), lock: request.lock }
  const runner = new AttemptRunner(workshop, request)
  const live = await runner.run(1, null)
  const { outcome } = live.attempt
  // A failure that is the build's own is tried again, to tell a broken recipe from a flaky one; any other has its answer.
  if (live.lock === null || (outcome !== 'built' && outcome !== 'build-failed')) return { results: [live], lock: live.lock }
  return { results: [live, ...(await runner.replays(live.lock, 2, request.attempts))], lock: live.lock }
}

async function replaysOf(lock: InputLock, workshop: AttemptsWorkshop, request: AttemptsRequest): Promise<readonly AttemptResult[]> {
  const { signal, attempts } = request
  const build = (stop: AbortSignal) => new AttemptRunner(workshop, { ...request, signal: stop }).replays(lock, 1, attempts)
  const done = await buildFromLock(workshop, { lock, signal, build })
  if ('built' in done) return done.built
  const attempt = attemptWithoutInputs({ number: 1, builder: workshop.builder, failures: done.failures })
  return [{ lock, indexes: [], files: new Map(), attempt }]
}

class AttemptRunner {
  readonly #workshop: AttemptsWorkshop
  readonly #request: AttemptsRequest
  #seq = 0

  constructor(workshop: AttemptsWorkshop, request: AttemptsRequest) {
    this.#workshop = workshop
    this.#request = request
  }

  /** Attempts `first` to `last` from a lock, side by side as far as there are slots. */
  async replays(lock: InputLock, first: number, last: number): Promise<AttemptResult[]> {
    const numbers = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
    const results: AttemptResult[] = []
    while (numbers.length > 0) {
      const batch = numbers.splice(0, Math.max(1, this.#workshop.slots))
      results.push(...(await Promise.all(batch.map((number) => this.run(number, lock)))))
      const stop = results.some(({ attempt }) => attempt.outcome !== 'built' && attempt.outcome !== 'build-failed')
      if (stop) break
    }
    return results
  }

  async run(number: number, lock: InputLock | null): Promise<AttemptResult> {
    const retried: OutcomeReason[] = []
    for (;;) {
      const result = await this.#once(number, lock, retried)
      const pause = RETRY_PAUSES[retried.length]
      const { outcome, reason } = result.attempt
      if (outcome !== 'infrastructure' || pause === undefined || this.#request.signal.aborted) return result
      retried.push(reason ?? { code: 'infrastructure', message: 'the infrastructure failed', data: {} })
      await sleep(pause, undefined, { signal: this.#request.signal }).catch(() => {
        // Cancelled while waiting: the next try ends as cancelled at once and says so.
      })
    }
  }

  async #once(number: number, lock: InputLock | null, retried: readonly OutcomeReason[]): Promise<AttemptResult> {
    const { source, reading, profiles, signal } = this.#request
    return await buildOnce(this.#workshop, {
      source,
      recipe: reading.recipe,
      profiles,
      number,
      lock,
      retried,
      folder: path.join(this.#workshop.folder, `attempt-${number}-${retried.length}`),
      emit: (event) => this.#emit(number, event),
      signal,
    })
  }

  #emit(attempt: number, event: EventBody): void {
    this.#seq += 1
    this.#request.emit({ ...event, seq: this.#seq, attempt, at: new Date().toISOString() })
  }
}
