import { createWriteStream } from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { inStage } from '../../verifier/attempt/stage-clock.ts'
import { attemptWithoutInputs, buildFromLock, buildOnce, type Workshop } from '../../verifier/attempt/workshop.ts'
import { readBlob } from '../../verifier/builder/image-archive.ts'
import { encodeBuilder } from '../../verifier/builder/image-description.ts'
import { parseLock } from '../../verifier/builder/inputs/parse-lock.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { InputLock } from '../../verifier/model/lock.ts'
import type { RecipeReading } from '../../verifier/model/recipe.ts'
import { mkosiArchitecture } from '../../verifier/recipe/debian-architecture.ts'
import { readRecipe } from '../../verifier/recipe/read-recipe.ts'
import type { PinnedTree } from '../../verifier/source/pinned-tree.ts'
import { type BuilderPorts, bringBuilder } from './bring-builder.ts'
import type { Ports, ReadyBuilder } from './ports.ts'
import { sandboxTreeOf } from './sandbox-tree.ts'
import type { JobContext, JobRun, RunJob } from './service/run-job.ts'
import { MAX_DIGESTS_PER_QUESTION, type WorkerJob } from './service/worker-protocol.ts'

export type WorkPorts = BuilderPorts &
  Pick<Ports, 'scratch' | 'sandbox' | 'record' | 'replay' | 'gather' | 'misdescribed'> & {
    /** Pins an archive that lies in a file of ours. */
    pinArchive(file: string, scratch: string, signal: AbortSignal): Promise<PinnedTree>
  }

/** Runs one attempt of a coordinator's, with the engine of this machine: source, lock, inputs and builder are taken from the coordinator. */
export function workAttempt(ports: WorkPorts): RunJob {
  return async (job, context) => {
    const scratch = await ports.scratch()
    try {
      const run = await new Work(ports, job, context).run(scratch.path)
      return { ...run, [Symbol.asyncDispose]: async () => await scratch[Symbol.asyncDispose]() }
    } catch (error) {
      await scratch[Symbol.asyncDispose]()
      throw error
    }
  }
}

type Run = Omit<JobRun, typeof Symbol.asyncDispose>

class Work {
  readonly #ports: WorkPorts
  readonly #job: WorkerJob
  readonly #context: JobContext

  constructor(ports: WorkPorts, job: WorkerJob, context: JobContext) {
    this.#ports = ports
    this.#job = job
    this.#context = context
  }

  async run(folder: string): Promise<Run> {
    const { emit } = this.#context
    await using pinned = await inStage('pin', emit, () => this.#pin(folder))
    const { image, ready } = await inStage('builder', emit, () => bringBuilder(this.#ports, this.#job, this.#context))
    const { treeDigest } = pinned.pinned
    const reading = await inStage('recipe', emit, async () =>
      readRecipe(pinned.tree, { architecture: mkosiArchitecture(image.architecture), mkosi: image.mkosi }),
    )
    const refused = reading.findings.find(({ severity }) => severity === 'refuse')
    if (refused !== undefined) throw refusedHere(refused.rule)
    const lock = await this.#lock()
    const builder = { image, description: await this.#stored(encodeBuilder(image)) }
    return { treeDigest, builder, ...(await this.#build({ pinned, reading, ready, lock, folder })) }
  }

  async #pin(folder: string): Promise<PinnedTree> {
    const { tar, pinned } = this.#job.source
    const { signal } = this.#context
    await this.#bring([tar])
    const file = path.join(folder, 'source.tar')
    await pipeline(await this.#ports.blobs.open(tar), createWriteStream(file, { flags: 'wx', mode: 0o600 }), { signal })
    await using held = new AsyncDisposableStack()
    const tree = held.use(await this.#ports.pinArchive(file, folder, signal))
    if (tree.pinned.treeDigest !== pinned.treeDigest)
      throw new Failure({
        code: 'source-of-another-job',
        message: 'the source that the coordinator gives is not the one that its job names',
        hint: 'run the same version of Bitwitness on worker and coordinator',
      })
    held.move()
    return tree
  }

  /** With the inputs that the coordinator has; of what is still missing then, mirrors are asked. */
  async #lock(): Promise<InputLock | null> {
    const { lock: sha256, attempt, lease } = this.#job
    if (sha256 === null) return null
    await this.#bring([sha256])
    const lock = parseLock((await readBlob(this.#ports.blobs, sha256)).toString('utf8'))
    const lacking: Sha256[] = []
    for (const { sha256: input } of lock.inputs) if ((await this.#ports.blobs.size(input)) === undefined) lacking.push(input)
    const digests = [...new Set(lacking)]
    if (digests.length === 0) return lock
    const gone = new Set(await this.#missing(attempt.id, lease, digests))
    await this.#bring(digests.filter((digest) => !gone.has(digest)))
    return lock
  }

  async #missing(attemptId: string, lease: string, digests: readonly Sha256[]): Promise<readonly Sha256[]> {
    const missing: Sha256[] = []
    for (let from = 0; from < digests.length; from += MAX_DIGESTS_PER_QUESTION) {
      const question = {
        schema: 'bitwitness/worker-blobs/v1',
        lease,
        digests: digests.slice(from, from + MAX_DIGESTS_PER_QUESTION),
      } as const
      missing.push(...(await this.#context.coordinator.missing(attemptId, question)))
    }
    return missing
  }

  async #build(o: {
    readonly pinned: PinnedTree
    readonly reading: RecipeReading
    readonly ready: ReadyBuilder
    readonly lock: InputLock | null
    readonly folder: string
  }): Promise<Pick<Run, 'attempt' | 'indexes' | 'files'>> {
    const { pinned, reading, ready, lock } = o
    const { recipe } = reading
    const { signal, emit } = this.#context
    const { attempt, retried } = this.#job
    const { architecture } = ready
    const snapshot = lock?.snapshot ?? recipe.snapshot
    const workshop: Workshop = {
      blobs: this.#ports.blobs,
      builder: ready.digest,
      architecture,
      sandbox: () => this.#ports.sandbox(ready),
      sandboxTree: sandboxTreeOf(recipe, architecture, snapshot),
      record: (stop) => this.#ports.record({ architecture, snapshot, signal: stop }),
      replay: (replayed, stop) => this.#ports.replay(replayed, stop),
      gather: (wanted, stop) => this.#ports.gather(wanted, stop),
      misdescribed: (given) => this.#ports.misdescribed(given),
    }
    const folder = path.join(o.folder, 'attempt')
    const building = { source: () => pinned.tar(), recipe, profiles: [], number: attempt.number, lock, retried, folder, emit }
    if (lock === null) return await buildOnce(workshop, { ...building, signal })
    const done = await buildFromLock(workshop, { lock, signal, build: (stop) => buildOnce(workshop, { ...building, signal: stop }) })
    if ('built' in done) return done.built
    const failed = attemptWithoutInputs({ number: attempt.number, builder: ready.digest, failures: done.failures })
    return { attempt: failed, indexes: [], files: new Map() }
  }

  async #bring(digests: readonly Sha256[]): Promise<void> {
    await this.#context.coordinator.fetch(digests, this.#ports.blobs, this.#context.signal)
  }

  async #stored(text: string): Promise<Sha256> {
    const { sha256 } = await this.#ports.blobs.put(
      (async function* () {
        yield Buffer.from(text)
      })(),
    )
    return sha256
  }
}

/** Whoever prepared the source read its recipe too, and let it pass: that it is refused is not a worker's to say, nor is it to build it. */
function refusedHere(rule: string): Failure {
  return new Failure({
    code: 'recipe-refused-here',
    message: `a rule of this worker refuses the recipe, which the coordinator let pass: ${rule}`,
    hint: 'run the same version of Bitwitness on worker and coordinator',
    data: { rule },
  })
}
