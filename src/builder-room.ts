import { exportBuilder } from '../verifier/builder/image-archive.ts'
import { readDefinition } from '../verifier/builder/image-definition.ts'
import type { BuilderImage } from '../verifier/builder/image-description.ts'
import { importBuilder } from '../verifier/builder/image-import.ts'
import { makeBuilder } from '../verifier/builder/image-make.ts'
import type { BuilderStore } from '../verifier/builder/image-store.ts'
import { gatherInputs } from '../verifier/builder/inputs/gather.ts'
import { readInputsArchive } from '../verifier/builder/inputs/inputs-archive.ts'
import { misdescribedInputs } from '../verifier/builder/inputs/lock-truth.ts'
import { recordInputs } from '../verifier/builder/inputs/record.ts'
import { replayInputs } from '../verifier/builder/inputs/replay.ts'
import type { BlobStore } from '../verifier/model/blob-store.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import type { EmitEvent } from '../verifier/model/event.ts'
import { Failure } from '../verifier/model/failure.ts'
import type { ChosenMirrors } from './chosen-mirrors.ts'
import { readLock } from './read-lock.ts'
import { makeScratch } from './storage/scratch.ts'

export type BuilderRoomOptions = {
  readonly store: BuilderStore
  readonly blobs: BlobStore
  /** The folder `mkosi/builder`. */
  readonly definition: string
  /** Version of mkosi, where none is named. */
  readonly mkosi: string
  /** Folder for scratch space. */
  readonly work: string
  readonly mirrors: ChosenMirrors
  /** Of the engine. */
  readonly architecture: () => Promise<string>
}

export type MakeBuilder = {
  readonly lock: string | null
  readonly inputs: string | null
  readonly mkosi: string | null
  readonly emit: EmitEvent
  readonly signal: AbortSignal
}

/** Builder images of one home: which there are, and how they get there. */
export class BuilderRoom {
  readonly #o: BuilderRoomOptions

  constructor(o: BuilderRoomOptions) {
    this.#o = o
  }

  async list(): Promise<readonly BuilderImage[]> {
    return await this.#o.store.list()
  }

  /** The builder with this digest, or the newest one. */
  async show(reference: string | null): Promise<BuilderImage> {
    if (reference !== null) return await this.#o.store.show(reference)
    const [newest] = await this.#o.store.list()
    if (newest !== undefined) return newest
    throw new Failure({ code: 'builder-unknown', message: 'no builder was made here yet', hint: 'make one: bitwitness builder build' })
  }

  /** The newest builder of today's definition that was made here, if there is one. */
  async known(): Promise<BuilderImage | undefined> {
    const { definition, mkosi, store } = this.#o
    const { digest } = await readDefinition(definition, mkosi)
    return await store.select({ mkosi, architecture: await this.#o.architecture(), definition: digest })
  }

  /** The builder of this digest; undefined where it is not here. */
  async find(digest: Sha256): Promise<BuilderImage | undefined> {
    return (await this.#o.store.list()).find((one) => one.digest === digest)
  }

  /** Keeps one whose parts came from elsewhere, blob by blob, and are all here. It builds only where it is named. */
  async keep(image: BuilderImage): Promise<void> {
    await this.#o.store.add(image, 'imported')
  }

  /** Makes one: from mirrors, or from a lock whose inputs are in the store or in `inputs`. It is the default one from then on. */
  async make(o: MakeBuilder): Promise<BuilderImage> {
    const builder = await this.#make(o)
    await this.#o.store.add(builder, 'made')
    return builder
  }

  /**
   * Makes sure that a builder which somebody described is here; made from its lock where it is not. It is then like one that was imported,
   * and builds where it is named: a stranger's lock is not to choose what others are built in. Failures: `builder-definition-differs`,
   * `builder-differs`, and those of making.
   */
  async bring(image: BuilderImage, o: { lock: string; emit: EmitEvent; signal: AbortSignal }): Promise<'at-hand' | 'made'> {
    if ((await this.find(image.digest)) !== undefined) return 'at-hand'
    const definition = await readDefinition(this.#o.definition, image.mkosi).catch(asDefinition)
    if (definition?.digest !== image.definition)
      throw new Failure({
        code: 'builder-definition-differs',
        message: 'the builder is not here, and this version of Bitwitness does not make it',
        hint: IMPORT,
        data: { builder: image.digest },
      })
    const made = await this.#make({ ...o, inputs: null, mkosi: image.mkosi }).catch(asMissing)
    if (made.digest !== image.digest)
      throw new Failure({
        code: 'builder-differs',
        message: 'the builder is not here, and another came out of its lock',
        hint: IMPORT,
        data: { expected: image.digest, actual: made.digest },
      })
    await this.#o.store.add(made, 'imported')
    return 'made'
  }

  async export(o: { reference: string | null; path: string; inputs: boolean; signal: AbortSignal }): Promise<BuilderImage> {
    const builder = await this.show(o.reference)
    await exportBuilder({ builder, blobs: this.#o.blobs, path: o.path, inputs: o.inputs, signal: o.signal })
    return builder
  }

  async import(path: string, signal: AbortSignal): Promise<BuilderImage> {
    const { blobs, store } = this.#o
    return (await importBuilder({ path, blobs, store, signal })).builder
  }

  async #make(o: MakeBuilder): Promise<BuilderImage> {
    const { blobs, mirrors, definition, mkosi, work } = this.#o
    const { emit, signal } = o
    const carried = o.inputs === null ? null : await readInputsArchive({ path: o.inputs, blobs, signal })
    const lock = o.lock === null ? carried : await readLock(o.lock)
    if (lock !== null) {
      const gone = await gatherInputs({ lock, blobs, mirrors: await mirrors(lock.snapshot), signal })
      const [missing] = gone.length > 0 ? gone : await misdescribedInputs(lock, blobs)
      if (missing !== undefined)
        throw new Failure({
          code: missing.code,
          message: missing.message,
          hint: 'give the inputs archive that belongs to the lock',
          data: { archive: missing.archive, path: missing.path, expected: missing.expected, actual: missing.actual },
        })
    }
    const architecture = await this.#o.architecture()
    await using proxy =
      lock === null
        ? recordInputs({ mirrors: await mirrors(null), blobs, architecture, snapshot: null, signal })
        : replayInputs({ lock, blobs })
    await using scratch = await makeScratch(work)
    return await makeBuilder({
      definition,
      mkosi: o.mkosi ?? mkosi,
      proxy,
      lock,
      blobs,
      workDir: scratch.path,
      architecture,
      emit,
      signal,
    })
  }
}

const IMPORT = 'take the builder itself from where it is: bitwitness builder export there, bitwitness builder import here'

/** Null where there is no profile for the version. */
function asDefinition(error: unknown): null {
  if (error instanceof Failure && error.code === 'builder-profile-unknown') return null
  throw error
}

function asMissing(error: unknown): never {
  if (!(error instanceof Failure) || !error.code.startsWith('input-')) throw error
  const { code, message, data } = error
  throw new Failure({ code, message: `the builder is not here, and cannot be made: ${message}`, hint: IMPORT, data, cause: error })
}
