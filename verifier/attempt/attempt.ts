import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { InputProxy } from '../builder/inputs/input-proxy.ts'
import { usedIndexes } from '../builder/inputs/used-indexes.ts'
import { expectedOutputs, planBuild } from '../builder/plan.ts'
import type { Job, Sandbox, Usage } from '../builder/sandbox.ts'
import type { Artifact, Attempt, OutcomeReason } from '../model/attempt.ts'
import type { BlobStore } from '../model/blob-store.ts'
import type { Sha256 } from '../model/digest.ts'
import type { EmitEvent } from '../model/event.ts'
import { encodeLock, type InputLock, type SignedIndex } from '../model/lock.ts'
import type { Recipe } from '../model/recipe.ts'
import { digestOutputs } from './collect.ts'
import { type Ending, endingOf, endingOfError } from './ending.ts'
import { LogRecorder } from './log-recorder.ts'
import { type CollectedOutput, spool } from './spool.ts'
import { StageClock } from './stage-clock.ts'

export type AttemptOptions = {
  readonly number: number
  readonly mode: 'live' | 'replay'
  /** Earlier tries that the infrastructure ended. */
  readonly retried: readonly OutcomeReason[]
  readonly sandbox: Sandbox
  readonly builder: Sha256
  /** Debian's word. */
  readonly architecture: string
  readonly recipe: Recipe
  /** Canonical tar of the recipe's folder. */
  readonly source: () => AsyncIterable<Uint8Array>
  readonly sandboxTree: Job['sandboxTree']
  readonly profiles: readonly string[]
  readonly inputs: InputProxy
  readonly blobs: BlobStore
  /** A private folder of this attempt; what it leaves there carries names of ours. */
  readonly folder: string
  readonly emit: EmitEvent
  readonly signal: AbortSignal
}

export type AttemptResult = {
  readonly attempt: Attempt
  /** What was recorded or replayed; null where that cannot be said. */
  readonly lock: InputLock | null
  /** The signed indexes that it took its packages by; a lock may name more. */
  readonly indexes: readonly SignedIndex[]
  /** Where the bytes of each artifact lie, by name. */
  readonly files: ReadonlyMap<string, string>
}

/** One run of one recipe in one builder. Whatever goes wrong is an outcome; it rejects only where not even that can be stored. */
export async function runAttempt(options: AttemptOptions): Promise<AttemptResult> {
  const { blobs, inputs, sandbox, signal } = options
  const stages = new StageClock(options.emit)
  const log = new LogRecorder(options.emit)
  let usage: Usage | null = null
  let artifacts: readonly Artifact[] = []
  let files: ReadonlyMap<string, string> = new Map()
  let locked: Locked | undefined
  const ending = await ended(async () => {
    await mkdir(options.folder, { recursive: true, mode: 0o700 })
    const plan = planBuild({ recipe: options.recipe, sandboxTree: options.sandboxTree, sourceDateEpoch: null, profiles: options.profiles })
    const collected: CollectedOutput[] = []
    let summary: unknown
    let finishing: Promise<Locked> | undefined
    await using leaving = new AsyncDisposableStack()
    stages.begin('start')
    const end = await sandbox.run(plan.job, {
      signal,
      source: () => counted(options.source(), stages),
      accept: (connection) => inputs.accept(connection),
      log: (bytes) => log.write(bytes),
      stage: (stage) => {
        stages.begin(stage)
        // The build is over: what it took can be made sense of while its output comes.
        if (stage === 'collect') finishing ??= lockOf(inputs)
      },
      summary: (value) => {
        summary = value
      },
      output: async (entry, bytes) => {
        collected.push(await spool(entry, counted(bytes, stages), path.join(options.folder, `written-${collected.length}`)))
      },
      removal: (removal) => {
        // Waited for below; until then a rejection must not count as unhandled.
        removal.catch(() => {})
        leaving.defer(() => removal)
      },
    })
    if (end.kind === 'finished' || end.kind === 'limit') usage = end.usage
    finishing ??= lockOf(inputs)
    const stop = new AbortController()
    const digesting =
      end.kind === 'finished' && end.exit === 0
        ? digestOutputs({
            expected: expectedOutputs(summary),
            collected,
            imageConfig: options.recipe.imageConfig,
            architecture: options.architecture,
            created: plan.sourceDateEpoch,
            maxBytes: sandbox.outputBytes,
            blobs,
            signal: AbortSignal.any([signal, stop.signal]),
          })
        : undefined
    if (digesting !== undefined) stages.begin('compare')
    // What it reads goes with the attempt's folder, so nobody leaves before it has ended.
    leaving.defer(async () => {
      stop.abort()
      await Promise.allSettled([digesting])
    })
    digesting?.catch(() => {})
    locked = await finishing
    const early = endingOf(end, inputs.failures())
    if (early !== undefined) return early
    // A build without its lock is no evidence.
    if (locked.failure !== null) throw locked.failure
    const digested = await digesting
    if (digested === undefined) throw new Error('a build that ended well was not digested')
    artifacts = digested.artifacts
    files = digested.files
    return BUILT
  }, signal)
  stages.end()
  // A failed try leaves its room to the next; what cannot be removed now goes with the whole verification's folder.
  if (ending.outcome !== 'built') await rm(options.folder, { recursive: true, force: true }).catch(() => {})
  const { lock } = locked ?? (await lockOf(inputs))
  const stored = lock === null ? null : await blobs.put(one(encodeLock(lock)))
  const logged = await blobs.put(log.bytes())
  return {
    lock,
    indexes: lock === null ? [] : usedIndexes(lock, options.sandboxTree, inputs),
    files,
    attempt: {
      number: options.number,
      mode: options.mode,
      ...ending,
      retried: [...options.retried],
      stages: stages.stages,
      artifacts: [...artifacts],
      lock: stored?.sha256 ?? null,
      log: logged.sha256,
      builder: options.builder,
      sandbox: sandbox.facts,
      usage,
    },
  }
}

const BUILT: Ending = { outcome: 'built', limit: null, reason: null }

async function ended(run: () => Promise<Ending>, signal: AbortSignal): Promise<Ending> {
  try {
    return await run()
  } catch (error) {
    return endingOfError(error, signal)
  }
}

type Locked = { readonly lock: InputLock; readonly failure: null } | { readonly lock: null; readonly failure: unknown }

async function lockOf(inputs: InputProxy): Promise<Locked> {
  try {
    return { lock: await inputs.finish(), failure: null }
  } catch (failure) {
    return { lock: null, failure }
  }
}

async function* counted(bytes: AsyncIterable<Uint8Array>, stages: StageClock): AsyncGenerator<Uint8Array, void, void> {
  for await (const part of bytes) {
    stages.moved(part.length)
    yield part
  }
}

async function* one(text: string): AsyncGenerator<Uint8Array, void, void> {
  yield Buffer.from(text, 'utf8')
}
