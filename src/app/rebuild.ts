import type { AttemptResult } from '../../verifier/attempt/attempt.ts'
import { type AttemptsResult, runAttempts } from '../../verifier/attempt/attempts.ts'
import { inStage } from '../../verifier/attempt/stage-clock.ts'
import type { AttemptEvent, EmitEvent, EventBody } from '../../verifier/model/event.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { InputLock } from '../../verifier/model/lock.ts'
import type { RecipeReading } from '../../verifier/model/recipe.ts'
import type { PinnedSource } from '../../verifier/model/source.ts'
import { debianArchitecture } from '../../verifier/recipe/debian-architecture.ts'
import { readRecipe } from '../../verifier/recipe/read-recipe.ts'
import type { Ports, ReadyBuilder } from './ports.ts'
import { sandboxTreeOf } from './sandbox-tree.ts'

/** What check, verify and build have in common. Paths are the caller's. */
export type RebuildCommand = {
  readonly source: string
  readonly attempts: number
  /** A publisher's lock: every attempt is then a replay of it. */
  readonly lock: string | null
  /** An inputs archive that belongs to the lock, or brings its own. */
  readonly inputs: string | null
  /** Its digest, or the first 12 digits or more. */
  readonly builder: string | null
  /** `YYYYMMDDThhmmssZ`; overrides what the recipe states. */
  readonly snapshot: string | null
  readonly signal: AbortSignal
  readonly emit: (event: AttemptEvent) => void
}

/** What was rebuilt, before anybody judges it. `results` is empty where the recipe was refused. */
export type Rebuilt = {
  readonly source: PinnedSource
  readonly reading: RecipeReading
  readonly builder: ReadyBuilder | null
  readonly attempts: AttemptsResult
  readonly architecture: string
  readonly startedAt: string
}

type RebuildPorts = Pick<
  Ports,
  | 'blobs'
  | 'reader'
  | 'slots'
  | 'now'
  | 'pin'
  | 'builder'
  | 'sandbox'
  | 'record'
  | 'replay'
  | 'gather'
  | 'misdescribed'
  | 'readLock'
  | 'readInputs'
>

/**
 * Pins a source, reads its recipe and, unless a rule refuses that, runs the attempts. Artifacts lie in `scratch` until the caller removes
 * it. Rejects only for what stopped us before anything ran; the signal's reason where it was cancelled then.
 */
export async function rebuild(ports: RebuildPorts, command: RebuildCommand, scratch: string): Promise<Rebuilt> {
  const startedAt = ports.now()
  const { signal } = command
  const emitter = new Emitter(command.emit, () => ports.now())
  const emit: EmitEvent = (event) => emitter.emit(event)
  const reader = await ports.reader(command.builder)
  await using pinned = await inStage('pin', emit, () => ports.pin(command.source, scratch, signal))
  const reading = await inStage('recipe', emit, async () => readRecipe(pinned.tree, reader))
  for (const finding of reading.findings) emitter.emit({ kind: 'finding', finding })
  const seen = { source: pinned.pinned, reading, startedAt }
  if (reading.findings.some((finding) => finding.severity === 'refuse'))
    return {
      ...seen,
      builder: null,
      architecture: debianArchitecture(reading.recipe.architecture ?? reader.architecture),
      attempts: { results: [], lock: null },
    }
  const lock = await givenLock(ports, command)
  const builder = await inStage('builder', emit, () => ports.builder(command.builder, emit, signal))
  const { architecture } = builder
  const snapshot = command.snapshot ?? lock?.snapshot ?? reading.recipe.snapshot
  const attempts = await runAttempts(
    {
      blobs: ports.blobs,
      builder: builder.digest,
      architecture,
      slots: ports.slots,
      folder: scratch,
      sandbox: () => ports.sandbox(builder),
      sandboxTree: sandboxTreeOf(reading.recipe, architecture, snapshot),
      record: (stop) => ports.record({ architecture, snapshot, signal: stop }),
      replay: (replayed, stop) => ports.replay(replayed, stop),
      gather: (wanted, stop) => ports.gather(wanted, stop),
      misdescribed: (given) => ports.misdescribed(given),
    },
    {
      source: () => pinned.tar(),
      reading,
      profiles: [],
      attempts: command.attempts,
      lock,
      emit: (event) => emitter.forward(event),
      signal,
    },
  )
  return { ...seen, builder, architecture, attempts }
}

/** The artifact files of the first attempt that was built. */
export function firstBuilt(rebuilt: Rebuilt): AttemptResult | undefined {
  return rebuilt.attempts.results.find(({ attempt }) => attempt.outcome === 'built')
}

async function givenLock(ports: RebuildPorts, command: RebuildCommand): Promise<InputLock | null> {
  const carried = command.inputs === null ? null : await ports.readInputs(command.inputs, command.signal)
  if (command.lock === null) return carried
  const lock = await ports.readLock(command.lock)
  if (carried !== null && JSON.stringify(carried) !== JSON.stringify(lock))
    throw new Failure({
      code: 'inputs-of-another-lock',
      message: 'the inputs archive belongs to another lock',
      hint: 'give the archive that was written beside the lock, or leave out one of the two',
    })
  return lock
}

/** One numbering for the events of the verification itself and of its attempts. */
class Emitter {
  readonly #send: (event: AttemptEvent) => void
  readonly #now: () => string
  #seq = 0

  constructor(send: (event: AttemptEvent) => void, now: () => string) {
    this.#send = send
    this.#now = now
  }

  emit(event: EventBody): void {
    this.#seq += 1
    this.#send({ ...event, seq: this.#seq, attempt: 0, at: this.#now() })
  }

  forward(event: AttemptEvent): void {
    this.#seq += 1
    this.#send({ ...event, seq: this.#seq })
  }
}
