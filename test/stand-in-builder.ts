import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JobContext, JobRun, RunJob } from '../src/app/service/run-job.ts'
import type { WorkerJob } from '../src/app/service/worker-protocol.ts'
import { makeScratch } from '../src/storage/scratch.ts'
import { LogRecorder } from '../verifier/attempt/log-recorder.ts'
import { StageClock } from '../verifier/attempt/stage-clock.ts'
import { partsOfBuilder } from '../verifier/builder/image-check.ts'
import { type BuilderImage, encodeBuilder } from '../verifier/builder/image-description.ts'
import { parseLock } from '../verifier/builder/inputs/parse-lock.ts'
import { smallBuilder } from '../verifier/builder/testing/small-builder.ts'
import { digestOf } from '../verifier/bytes/digest-of.ts'
import { canonicalTar } from '../verifier/compare/canonical-tar.ts'
import { packOci } from '../verifier/compare/oci-image.ts'
import type { Artifact, Attempt } from '../verifier/model/attempt.ts'
import type { BlobStore } from '../verifier/model/blob-store.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { Failure } from '../verifier/model/failure.ts'
import { encodeLock, INPUT_LOCK_SCHEMA, type InputLock } from '../verifier/model/lock.ts'
import type { Recipe } from '../verifier/model/recipe.ts'
import { readRecipe } from '../verifier/recipe/read-recipe.ts'
import { pinSource } from '../verifier/source/pin-source.ts'
import type { PinnedTree } from '../verifier/source/pinned-tree.ts'
import { OWN_ACCESS } from '../verifier/source/source-ref.ts'
import { member } from '../verifier/source/testing/tar.ts'
import { IMAGE_TAR_LIMITS } from '../verifier/tar/limits.ts'
import { StandInWishes } from './stand-in-wishes.ts'

export type StandInOptions = {
  readonly blobs: BlobStore
  /** Folder for scratch space: `work` of a home. */
  readonly work: string
  /** Which builder it is where none is asked for. */
  readonly seed?: string
  /** Told when a build has begun. */
  readonly onBegin?: (job: WorkerJob) => void
  /** Builds at once what asks to be waited for. */
  readonly inHaste?: boolean
}

const SANDBOX: Attempt['sandbox'] = {
  profile: 'stand-in/v1',
  digest: digestOf('stand-in'),
  isolation: 'shared-kernel',
  apparmor: 'absent',
  workspace: 'tmpfs',
}

type Ended = Pick<Attempt, 'outcome' | 'reason'>
const BUILT: Ended = { outcome: 'built', reason: null }
const CANCELLED: Ended = { outcome: 'cancelled', reason: null }
const FAILED: Ended = {
  outcome: 'build-failed',
  reason: { code: 'mkosi-failed', message: 'mkosi ended with exit code 1', data: { exit: 1 } },
}
const BROKEN: Ended = { outcome: 'infrastructure', reason: { code: 'engine-failed', message: 'the engine fails', data: {} } }

/**
 * Stands in for mkosi in a container where a build has to take milliseconds: the image is the source in canonical form with one file more, and
 * one input is "downloaded". All that a real attempt leaves is there and true of it: lock and inputs, log, tree manifest, artifact, builder.
 */
export function standInBuilder(o: StandInOptions): RunJob {
  return async (job, context) => {
    const scratch = await makeScratch(o.work)
    try {
      return await new Build(o, job, context, scratch.path).run(async () => await scratch[Symbol.asyncDispose]())
    } catch (error) {
      await scratch[Symbol.asyncDispose]()
      throw error
    }
  }
}

class Build {
  readonly #o: StandInOptions
  readonly #job: WorkerJob
  readonly #context: JobContext
  readonly #folder: string

  constructor(o: StandInOptions, job: WorkerJob, context: JobContext, folder: string) {
    this.#o = o
    this.#job = job
    this.#context = context
    this.#folder = folder
  }

  async run(dispose: () => Promise<void>): Promise<JobRun> {
    const { blobs, onBegin } = this.#o
    const { emit, signal } = this.#context
    const stages = new StageClock(emit)
    const log = new LogRecorder(emit)
    stages.begin('source')
    await using pinned = await this.#pin()
    const { recipe } = readRecipe(pinned.tree, { architecture: 'x86-64', mkosi: '25.3' })
    const wishes = StandInWishes.parse(JSON.parse(pinned.tree.text('stand-in.json') ?? '{}'))
    const builder = await this.#builder()
    stages.begin('build')
    onBegin?.(this.#job)
    const lock = await this.#lock(pinned.pinned.treeDigest)
    log.write(Buffer.from(`building ${pinned.pinned.treeDigest} from ${lock}\n`))
    for (let line = 1; line <= wishes.lines; line += 1) log.write(Buffer.from(`line ${line} \u001b[31mred\n`))
    if (this.#o.inHaste !== true) await sleep(wishes.waitMs, undefined, { signal }).catch(() => {})
    stages.begin('compare')
    const failed = signal.aborted ? CANCELLED : this.#failed(wishes)
    const made = failed === undefined ? await this.#artifact(pinned, recipe, wishes) : undefined
    stages.end()
    const { number, mode } = this.#job.attempt
    return {
      treeDigest: pinned.pinned.treeDigest,
      builder,
      indexes: [],
      files: made === undefined ? new Map() : new Map([[made.artifact.name, made.file]]),
      attempt: {
        number,
        mode,
        limit: null,
        retried: [],
        stages: stages.stages,
        lock,
        sandbox: SANDBOX,
        ...(failed ?? BUILT),
        artifacts: made === undefined ? [] : [made.artifact],
        log: (await blobs.put(log.bytes())).sha256,
        builder: builder.image.digest,
        usage: { cpuMs: 1, peakMemoryBytes: 1 << 20 },
      },
      [Symbol.asyncDispose]: dispose,
    }
  }

  #failed({ fails, failsIn, brokenTries }: StandInWishes) {
    const { attempt, retried } = this.#job
    if (retried.length < brokenTries) return BROKEN
    return fails || failsIn.includes(attempt.number) ? FAILED : undefined
  }

  async #pin(): Promise<PinnedTree> {
    const { tar, pinned } = this.#job.source
    await this.#bring([tar])
    const file = path.join(this.#folder, 'source.tar')
    await writeFile(file, Buffer.concat(await Array.fromAsync(await this.#o.blobs.open(tar))))
    const tree = await pinSource({ kind: 'archive', file, path: '.' }, { scratch: this.#folder, access: OWN_ACCESS })
    if (tree.pinned.treeDigest === pinned.treeDigest) return tree
    await tree[Symbol.asyncDispose]()
    throw new Failure({ code: 'source-differs', message: 'another source', hint: 'a test did this' })
  }

  async #builder(): Promise<{ readonly image: BuilderImage; readonly description: Sha256 }> {
    const { blobs, seed } = this.#o
    const { builder: wanted } = this.#job
    if (wanted !== null && wanted.description !== null) {
      await this.#bring([wanted.description])
      const text = Buffer.concat(await Array.fromAsync(await blobs.open(wanted.description))).toString()
      const image = JSON.parse(text) as BuilderImage
      await this.#bring(partsOfBuilder(image))
      return { image, description: wanted.description }
    }
    const small = await smallBuilder(seed)
    for (const bytes of small.blobs.bytes.values()) await blobs.put(one(bytes))
    return { image: small.builder, description: (await blobs.put(one(encodeBuilder(small.builder)))).sha256 }
  }

  /** What a replay takes is there or it does not build; a live build takes one package, which differs from source to source. */
  async #lock(treeDigest: Sha256): Promise<Sha256> {
    const { blobs } = this.#o
    const { lock } = this.#job
    if (lock !== null) {
      await this.#bring([lock])
      const { inputs } = parseLock(Buffer.concat(await Array.fromAsync(await blobs.open(lock))).toString())
      await this.#bring(inputs.map(({ sha256 }) => sha256))
      return lock
    }
    const deb = Buffer.from(`package of ${treeDigest}`)
    const { sha256, size } = await blobs.put(one(deb))
    const recorded: InputLock = {
      schema: INPUT_LOCK_SCHEMA,
      architecture: 'amd64',
      snapshot: null,
      inputs: [
        {
          kind: 'package',
          archive: 'debian',
          path: 'pool/main/a/app/app_1_all.deb',
          sha256,
          size,
          name: 'app',
          version: '1',
          architecture: 'all',
        },
      ],
      absent: [],
    }
    return (await blobs.put(one(encodeLock(recorded)))).sha256
  }

  async #artifact(pinned: PinnedTree, recipe: Recipe, { random, padding }: StandInWishes) {
    const folder = path.join(this.#folder, 'image')
    await mkdir(folder)
    const input = path.join(folder, 'written.tar')
    const file = path.join(folder, 'image.tar')
    const source = Buffer.concat(await Array.fromAsync(pinned.tar()))
    const built = member({ path: 'built', body: random ? crypto.randomUUID() : 'x'.repeat(padding) })
    await writeFile(input, Buffer.concat([built, source]))
    const pieces = canonicalTar({ input, output: file, taken: true, limits: IMAGE_TAR_LIMITS })
    const manifest: Uint8Array[] = []
    let next = pieces.next()
    for (; next.done !== true; next = pieces.next()) manifest.push(next.value)
    const { canonical, written } = next.value
    const image = packOci({ layer: canonical, created: recipe.sourceDateEpoch ?? 0, architecture: 'amd64', config: recipe.imageConfig })
    const artifact: Artifact = {
      name: 'image.tar',
      format: 'tar',
      sha256: canonical.sha256,
      size: canonical.size,
      notComparable: null,
      treeManifest: (await this.#o.blobs.put(one(Buffer.concat(manifest)))).sha256,
      oci: { manifest: image.manifest.sha256, config: image.config.sha256, layer: canonical.sha256 },
      written: { name: 'image.tar', sha256: written.sha256, size: written.size, compression: 'none' },
    }
    return { artifact, file }
  }

  async #bring(digests: readonly Sha256[]): Promise<void> {
    const { coordinator, signal } = this.#context
    await coordinator.fetch(digests, this.#o.blobs, signal)
  }
}

async function* one(bytes: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield Buffer.from(bytes)
}
