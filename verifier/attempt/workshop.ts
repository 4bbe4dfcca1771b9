import type { InputFailure, InputProxy } from '../builder/inputs/input-proxy.ts'
import type { Job, Sandbox } from '../builder/sandbox.ts'
import { type Attempt, attemptWithoutRun, type OutcomeReason } from '../model/attempt.ts'
import type { BlobStore } from '../model/blob-store.ts'
import type { Sha256 } from '../model/digest.ts'
import type { EmitEvent } from '../model/event.ts'
import type { InputLock } from '../model/lock.ts'
import type { Recipe } from '../model/recipe.ts'
import { type AttemptResult, runAttempt } from './attempt.ts'
import { missingInput } from './ending.ts'

/** What an attempt needs from around it: an engine, mirrors, a place for bytes. */
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
  readonly sandboxTree: Job['sandboxTree']
}

export type Building = {
  readonly source: () => AsyncIterable<Uint8Array>
  readonly recipe: Recipe
  readonly profiles: readonly string[]
  readonly number: number
  /** Null: the inputs are recorded. */
  readonly lock: InputLock | null
  /** Earlier tries that the infrastructure ended. */
  readonly retried: readonly OutcomeReason[]
  /** A private folder of this try. */
  readonly folder: string
  readonly emit: EmitEvent
  readonly signal: AbortSignal
}

/** One try of an attempt: live, its inputs recorded, or a replay of a lock. */
export async function buildOnce(workshop: Workshop, { lock, ...o }: Building): Promise<AttemptResult> {
  const { sandbox, builder, architecture, sandboxTree, blobs } = workshop
  await using inputs = lock === null ? await workshop.record(o.signal) : workshop.replay(lock, o.signal)
  const mode = lock === null ? 'live' : 'replay'
  return await runAttempt({ ...o, mode, inputs, sandbox: sandbox(), builder, architecture, sandboxTree, blobs })
}

/**
 * Builds from a lock that somebody else made. Its inputs are brought first; what it says of them is held against their bytes beside the
 * build, and of an untrue one no build counts. Gives what `build` gave, or the inputs for which nothing is to be built. Rejects where
 * that cannot be found out.
 */
export async function buildFromLock<T>(
  workshop: Pick<Workshop, 'gather' | 'misdescribed'>,
  o: { readonly lock: InputLock; readonly signal: AbortSignal; readonly build: (signal: AbortSignal) => Promise<T> },
): Promise<{ readonly built: T } | { readonly failures: readonly InputFailure[] }> {
  const gone = await workshop.gather(o.lock, o.signal)
  if (gone.length > 0) return { failures: gone }
  const stop = new AbortController()
  const checking = workshop.misdescribed(o.lock)
  const stopping = checking.then(
    (untrue) => {
      if (untrue.length > 0) stop.abort()
    },
    () => stop.abort(),
  )
  const [built] = await Promise.allSettled([o.build(AbortSignal.any([o.signal, stop.signal])), stopping])
  const failures = await checking
  if (built.status === 'rejected') throw built.reason
  return failures.length > 0 ? { failures } : { built: built.value }
}

/** An attempt that could not begin, or does not count, since inputs of the lock are gone or are other bytes. */
export function attemptWithoutInputs(o: {
  readonly number: number
  readonly builder: Sha256
  readonly failures: readonly InputFailure[]
}): Attempt {
  const { limit, ...ended } = missingInput(o.failures) ?? { outcome: 'input-unavailable' as const, limit: null, reason: null }
  return { ...attemptWithoutRun({ number: o.number, mode: 'replay', ...ended }), limit, builder: o.builder }
}
