import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { InputFailure, InputProxy } from '../builder/inputs/input-proxy.ts'
import type { Job, Sandbox } from '../builder/sandbox.ts'
import { attemptWithoutRun, type OutcomeReason } from '../model/attempt.ts'
import type { BlobStore } from '../model/blob-store.ts'
import type { Sha256 } from '../model/digest.ts'
import type { AttemptEvent, EventBody } from '../model/event.ts'
import type { InputLock } from '../model/lock.ts'
import type { RecipeReading } from '../model/recipe.ts'
import { type AttemptResult, runAttempt } from './attempt.ts'
import { missingInput } from './ending.ts'

/** What attempts need from around them: an engine, mirrors, a place for bytes. */
export type Workshop = {
  readonly blobs: BlobStore
  /** A container for one attempt. */
  readonly sandbox: () => Sandbox
  readonly builder: Sha256
  /** Debian's word. */
  readonly architecture: string
  readonly record: (signal: AbortSignal) => Promise<InputProxy>
  readonly replay: (lock: InputLock, signal: AbortSignal) => InputProxy
  /** Fetches what a lock names and we lack; tells what could not be had. */
  readonly gather: (lock: InputLock, signal: AbortSignal) => Promise<readonly InputFailure[]>
  /** Inputs, all at hand, that a lock describes as something else than they are. */
  readonly misdescribed: (lock: InputLock) => Promise<readonly InputFailure[]>
  /** How many attempts may run side by side. */
  readonly slots: number
  readonly sandboxTree: Job['sandboxTree']
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
export async function runAttempts(workshop: Workshop, request: AttemptsRequest): Promise<AttemptsResult> {
  if (request.lock !== null) return { results: await replaysOf(request.lock, workshop, request), lock: request.lock }
  const runner = new AttemptRunner(workshop, request)
  const live = await runner.run(1, 'live', null)
  const { outcome } = live.attempt
  // A failure that is the build's own is tried again, to tell a broken recipe from a flaky one; any other has its answer.
  if (live.lock === null || (outcome !== 'built' && outcome !== 'build-failed')) return { results: [live], lock: live.lock }
  return { results: [live, ...(await runner.replays(live.lock, 2, request.attempts))], lock: live.lock }
}

/** What a lock says of its inputs is held against their bytes beside the first build; of an untrue one no attempt counts. */
async function replaysOf(lock: InputLock, workshop: Workshop, request: AttemptsRequest): Promise<readonly AttemptResult[]> {
  const stop = new AbortController()
  const runner = new AttemptRunner(workshop, { ...request, signal: AbortSignal.any([request.signal, stop.signal]) })
  const gone = await workshop.gather(lock, request.signal)
  if (gone.length > 0) return [runner.withoutInputs(gone)]
  const checking = workshop.misdescribed(lock)
  const stopping = checking.then(
    (untrue) => {
      if (untrue.length > 0) stop.abort()
    },
    () => stop.abort(),
  )
  const [results] = await Promise.allSettled([runner.replays(lock, 1, request.attempts), stopping])
  const untrue = await checking
  if (results.status === 'rejected') throw results.reason
  return untrue.length > 0 ? [runner.withoutInputs(untrue)] : results.value
}

class AttemptRunner {
  readonly #workshop: Workshop
  readonly #request: AttemptsRequest
  #seq = 0

  constructor(workshop: Workshop, request: AttemptsRequest) {
    this.#workshop = workshop
    this.#request = request
  }

  /** Attempts `first` to `last` from a lock, side by side as far as there are slots. */
  async replays(lock: InputLock, first: number, last: number): Promise<AttemptResult[]> {
    const numbers = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
    const results: AttemptResult[] = []
    while (numbers.length > 0) {
      const batch = numbers.splice(0, Math.max(1, this.#workshop.slots))
      results.push(...(await Promise.all(batch.map((number) => this.run(number, 'replay', lock)))))
      const stop = results.some(({ attempt }) => attempt.outcome !== 'built' && attempt.outcome !== 'build-failed')
      if (stop) break
    }
    return results
  }

  async run(number: number, mode: 'live' | 'replay', lock: InputLock | null): Promise<AttemptResult> {
    const retried: OutcomeReason[] = []
    for (;;) {
      const result = await this.#once(number, mode, lock, retried)
      const pause = RETRY_PAUSES[retried.length]
      const { outcome, reason } = result.attempt
      if (outcome !== 'infrastructure' || pause === undefined || this.#request.signal.aborted) return result
      retried.push(reason ?? { code: 'infrastructure', message: 'the infrastructure failed', data: {} })
      await sleep(pause, undefined, { signal: this.#request.signal }).catch(() => {
        // Cancelled while waiting: the next try ends as cancelled at once and says so.
      })
    }
  }

  async #once(number: number, mode: 'live' | 'replay', lock: InputLock | null, retried: readonly OutcomeReason[]): Promise<AttemptResult> {
    const { signal } = this.#request
    await using inputs = lock === null ? await this.#workshop.record(signal) : this.#workshop.replay(lock, signal)
    return await runAttempt({
      number,
      mode,
      retried,
      inputs,
      sandbox: this.#workshop.sandbox(),
      builder: this.#workshop.builder,
      architecture: this.#workshop.architecture,
      recipe: this.#request.reading.recipe,
      source: this.#request.source,
      sandboxTree: this.#workshop.sandboxTree,
      profiles: this.#request.profiles,
      blobs: this.#workshop.blobs,
      folder: path.join(this.#workshop.folder, `attempt-${number}-${retried.length}`),
      emit: (event) => this.#emit(number, event),
      signal,
    })
  }

  #emit(attempt: number, event: EventBody): void {
    this.#seq += 1
    this.#request.emit({ ...event, seq: this.#seq, attempt, at: new Date().toISOString() })
  }

  /** An attempt that could not begin, or does not count, since inputs of the lock are gone or are other bytes. */
  withoutInputs(failures: readonly InputFailure[]): AttemptResult {
    const { limit, ...ended } = missingInput(failures) ?? { outcome: 'input-unavailable' as const, limit: null, reason: null }
    return {
      lock: this.#request.lock,
      indexes: [],
      files: new Map(),
      attempt: { ...attemptWithoutRun({ number: 1, mode: 'replay', ...ended }), limit, builder: this.#workshop.builder },
    }
  }
}
