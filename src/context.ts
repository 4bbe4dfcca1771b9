import { statfs } from 'node:fs/promises'
import path from 'node:path'
import { exportBuilder } from '../verifier/builder/image-archive.ts'
import { readDefinition } from '../verifier/builder/image-definition.ts'
import type { BuilderImage } from '../verifier/builder/image-description.ts'
import { importBuilder } from '../verifier/builder/image-import.ts'
import { makeBuilder } from '../verifier/builder/image-make.ts'
import { type BuilderStore, openBuilderStore } from '../verifier/builder/image-store.ts'
import { readAptMirrors } from '../verifier/builder/inputs/apt-mirrors.ts'
import { gatherInputs } from '../verifier/builder/inputs/gather.ts'
import type { InputProxy, Mirrors } from '../verifier/builder/inputs/input-proxy.ts'
import { readInputsArchive, writeInputsArchive } from '../verifier/builder/inputs/inputs-archive.ts'
import { misdescribedInputs } from '../verifier/builder/inputs/lock-truth.ts'
import { snapshotMirrors } from '../verifier/builder/inputs/mirrors.ts'
import { parseLock } from '../verifier/builder/inputs/parse-lock.ts'
import { recordInputs } from '../verifier/builder/inputs/record.ts'
import { replayInputs } from '../verifier/builder/inputs/replay.ts'
import { readSmallFile } from '../verifier/bytes/small-file.ts'
import type { BlobStore } from '../verifier/model/blob-store.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import type { EmitEvent } from '../verifier/model/event.ts'
import { Failure } from '../verifier/model/failure.ts'
import { type InputLock, MAX_LOCK_BYTES } from '../verifier/model/lock.ts'
import { pinSource } from '../verifier/source/pin-source.ts'
import { parseSourceRef } from '../verifier/source/source-ref.ts'
import { type BuildCommand, build } from './app/build.ts'
import { check } from './app/check.ts'
import { type DoctorReport, doctor, type MirrorProbe } from './app/doctor.ts'
import type { Ports, ReadyBuilder, ScratchFolder } from './app/ports.ts'
import type { RebuildCommand } from './app/rebuild.ts'
import { type VerifyCommand, verify } from './app/verify.ts'
import { bringClaimed, requireUsable } from './claimed-bytes.ts'
import { type Home, openHome } from './config/home.ts'
import { findPackage } from './config/package-root.ts'
import type { Settings } from './config/settings.ts'
import { sourceAccess } from './config/source-access.ts'
import type { DownloadRules } from './download/download.ts'
import { downloadRules } from './download/rules.ts'
import { EngineRoom } from './engine/engine-room.ts'
import { probeMirror } from './host/mirror-probe.ts'
import { missingPrograms } from './host/programs.ts'
import { openBlobFolder } from './storage/blob-folder.ts'
import { homeId } from './storage/home-id.ts'
import { isAlive } from './storage/process-identity.ts'
import { abandonedScratch, makeScratch, sweepScratch } from './storage/scratch.ts'

/** Claimed bytes are fetched only to explain; a build's own bound is far above what images weigh. */
const DOWNLOAD_SECONDS = 3600

/** mkosi's words for Debian's architectures, where they differ. */
const MKOSI_NAMES: Readonly<Record<string, string>> = { amd64: 'x86-64' }

/** What stands behind the command line on one machine. */
export class Context implements AsyncDisposable {
  readonly #settings: Settings
  readonly #home: Home
  readonly #id: string
  readonly #blobs: BlobStore
  readonly #builders: BuilderStore
  readonly #definition: string
  readonly #version: string
  #mirrors: Promise<Mirrors> | undefined
  #room: Promise<EngineRoom> | undefined

  private constructor(o: { settings: Settings; home: Home; id: string; blobs: BlobStore; builders: BuilderStore }) {
    const { root, version } = findPackage()
    this.#settings = o.settings
    this.#home = o.home
    this.#id = o.id
    this.#blobs = o.blobs
    this.#builders = o.builders
    this.#definition = path.join(root, 'mkosi', 'builder')
    this.#version = version
  }

  /** Opens the home and sweeps the folders that killed processes left in it. The engine is asked only when it is needed. */
  static async open(settings: Settings): Promise<Context> {
    const home = await openHome(settings.home)
    await sweepScratch(home.work)
    const blobs = await openBlobFolder(home.blobs)
    return new Context({
      settings,
      home,
      id: await homeId(path.join(home.root, 'id')),
      blobs,
      builders: await openBuilderStore(home.builders, blobs),
    })
  }

  /** Nothing is held open between calls. */
  async [Symbol.asyncDispose](): Promise<void> {}

  async verify(command: VerifyCommand) {
    if (command.claimed !== null) await requireUsable(command.claimed, this.#downloadRules())
    return await verify(await this.ports(), command)
  }

  async check(command: RebuildCommand) {
    return await check(await this.ports(), command)
  }

  async build(command: BuildCommand) {
    return await build(await this.ports(), command)
  }

  async doctor(signal: AbortSignal): Promise<DoctorReport> {
    const engine = EngineRoom.connect(this.#settings, this.#id)
    const { limitMemory, limitDisk, workspace, apparmor } = this.#settings
    return await doctor({
      facts: () => engine.facts(),
      leftovers: async () => ({ ...(await engine.leftovers(isAlive)), folders: await abandonedScratch(this.#home.work) }),
      mirrors: () => this.#probeMirrors(signal),
      programs: missingPrograms,
      freeBytes: async () => {
        const { bavail, bsize } = await statfs(this.#home.root)
        return bavail * bsize
      },
      sandbox: async () => {
        const room = await this.#engineRoom()
        const builder = await this.#known(room.architecture)
        return builder === undefined ? null : room.sandbox(await room.ready(builder, this.#blobs, signal))
      },
      needs: { memoryBytes: limitMemory, diskBytes: limitDisk, workspace, apparmor },
      signal,
    })
  }

  /** The engine, holding the builder that a build would take. */
  async ready(emit: EmitEvent, signal: AbortSignal): Promise<{ readonly room: EngineRoom; readonly builder: ReadyBuilder }> {
    const room = await this.#engineRoom()
    return { room, builder: await this.#builder(room, { wanted: null, emit, signal }) }
  }

  /** Makes a builder image: from mirrors, or from a lock whose inputs are in the store or in `inputs`. */
  async makeBuilder(o: {
    lock: string | null
    inputs: string | null
    mkosi: string | null
    emit: EmitEvent
    signal: AbortSignal
  }): Promise<BuilderImage> {
    const carried = o.inputs === null ? null : await readInputsArchive({ path: o.inputs, blobs: this.#blobs, signal: o.signal })
    const lock = o.lock === null ? carried : await readLock(o.lock)
    if (lock !== null) {
      const gone = await gatherInputs({ lock, blobs: this.#blobs, mirrors: await this.#mirrorsOf(lock.snapshot), signal: o.signal })
      const [missing] = gone.length > 0 ? gone : await misdescribedInputs(lock, this.#blobs)
      if (missing !== undefined)
        throw new Failure({
          code: missing.code,
          message: missing.message,
          hint: 'give the inputs archive that belongs to the lock',
          data: { archive: missing.archive, path: missing.path, expected: missing.expected, actual: missing.actual },
        })
    }
    const architecture = (await this.#engineRoom()).architecture
    await using proxy =
      lock === null
        ? recordInputs({ mirrors: await this.#mirrorsOf(null), blobs: this.#blobs, architecture, snapshot: null, signal: o.signal })
        : replayInputs({ lock, blobs: this.#blobs })
    await using scratch = await makeScratch(this.#home.work)
    const builder = await makeBuilder({
      definition: this.#definition,
      mkosi: o.mkosi ?? this.#settings.mkosi,
      proxy,
      lock,
      blobs: this.#blobs,
      workDir: scratch.path,
      architecture,
      emit: o.emit,
      signal: o.signal,
    })
    await this.#builders.add(builder, 'made')
    return builder
  }

  async listBuilders(): Promise<readonly BuilderImage[]> {
    return await this.#builders.list()
  }

  /** The builder with this digest, or the newest one. */
  async showBuilder(reference: string | null): Promise<BuilderImage> {
    if (reference !== null) return await this.#builders.show(reference)
    const [newest] = await this.#builders.list()
    if (newest !== undefined) return newest
    throw new Failure({ code: 'builder-unknown', message: 'no builder was made here yet', hint: 'make one: bitwitness builder build' })
  }

  async exportBuilder(o: { reference: string | null; path: string; inputs: boolean; signal: AbortSignal }): Promise<BuilderImage> {
    const builder = await this.showBuilder(o.reference)
    await exportBuilder({ builder, blobs: this.#blobs, path: o.path, inputs: o.inputs, signal: o.signal })
    return builder
  }

  async importBuilder(file: string, signal: AbortSignal): Promise<BuilderImage> {
    return (await importBuilder({ path: file, blobs: this.#blobs, store: this.#builders, signal })).builder
  }

  /** What the use cases get here, for whoever runs one in parts. */
  async ports(): Promise<Ports> {
    const room = await this.#engineRoom()
    const access = sourceAccess(this.#settings.sources)
    return {
      version: this.#version,
      blobs: this.#blobs,
      reader: async (wanted) => ({
        architecture: MKOSI_NAMES[room.architecture] ?? room.architecture,
        mkosi: wanted === null ? this.#settings.mkosi : (await this.#builders.show(wanted)).mkosi,
      }),
      slots: room.slots,
      outputBytes: this.#settings.limitOutput,
      now: () => new Date().toISOString(),
      scratch: (): Promise<ScratchFolder> => makeScratch(this.#home.work),
      pin: (source, scratch, signal) => pinSource(parseSourceRef(source, access), { scratch, signal, access }),
      builder: (wanted, emit, signal) => this.#builder(room, { wanted, emit, signal }),
      sandbox: (builder) => room.sandbox(builder),
      record: async ({ architecture, snapshot, signal }): Promise<InputProxy> =>
        recordInputs({ mirrors: await this.#mirrorsOf(snapshot), blobs: this.#blobs, architecture, snapshot, signal }),
      replay: (lock) => replayInputs({ lock, blobs: this.#blobs }),
      gather: async (lock, signal) =>
        await gatherInputs({ lock, blobs: this.#blobs, mirrors: await this.#mirrorsOf(lock.snapshot), signal }),
      misdescribed: (lock) => misdescribedInputs(lock, this.#blobs),
      readLock,
      readInputs: (file, signal) => readInputsArchive({ path: file, blobs: this.#blobs, signal }),
      writeInputs: async ({ lock, path: file }) => {
        await writeInputsArchive({ lock, blobs: this.#blobs, path: file })
      },
      fetchClaimed: (o) => bringClaimed(o, this.#settings, this.#downloadRules()),
    }
  }

  #downloadRules(): DownloadRules {
    const { sources, limitOutput } = this.#settings
    return downloadRules(sourceAccess(sources), { maxBytes: limitOutput, seconds: DOWNLOAD_SECONDS })
  }

  async #builder(room: EngineRoom, o: { wanted: Sha256 | null; emit: EmitEvent; signal: AbortSignal }): Promise<ReadyBuilder> {
    const known = o.wanted === null ? await this.#known(room.architecture) : await this.#builders.show(o.wanted)
    const builder = known ?? (await this.makeBuilder({ lock: null, inputs: null, mkosi: null, emit: o.emit, signal: o.signal }))
    return await room.ready(builder, this.#blobs, o.signal)
  }

  /** The newest builder of today's definition, if there is one. */
  async #known(architecture: string): Promise<BuilderImage | undefined> {
    const { mkosi } = this.#settings
    const { digest } = await readDefinition(this.#definition, mkosi)
    return await this.#builders.select({ mkosi, architecture, definition: digest })
  }

  #engineRoom(): Promise<EngineRoom> {
    this.#room ??= EngineRoom.open({ settings: this.#settings, home: this.#id, definition: this.#definition })
    return this.#room
  }

  async #mirrorsOf(snapshot: string | null): Promise<Mirrors> {
    if (snapshot !== null) {
      const base = this.#settings.snapshotMirror
      // Without one, what a lock names may still be in the store; a live build then fails by the first input that it asks for.
      return base === null ? new Map() : snapshotMirrors(base, snapshot)
    }
    const own = this.#settings.mirrors
    if (own !== null) return own
    this.#mirrors ??= readAptMirrors()
    return await this.#mirrors
  }

  async #probeMirrors(signal: AbortSignal): Promise<readonly MirrorProbe[]> {
    const probes: MirrorProbe[] = []
    for (const [archive, urls] of await this.#mirrorsOf(null)) {
      const suite = archive === 'debian-security' ? 'bookworm-security' : 'bookworm'
      let probe: MirrorProbe = { archive, reached: false, skewSeconds: null }
      for (const url of urls) {
        probe = await probeMirror(archive, new URL(`dists/${suite}/InRelease`, url), signal)
        if (probe.reached) break
      }
      probes.push(probe)
    }
    return probes
  }
}

async function readLock(file: string): Promise<InputLock> {
  const read = await readSmallFile(file, { maxBytes: MAX_LOCK_BYTES })
  if (read.bytes !== null) return parseLock(read.bytes.toString('utf8'))
  throw new Failure({
    code: 'lock-unreadable',
    message: 'the input lock cannot be read',
    hint: 'give the path of the inputs.lock.json that a build wrote',
    cause: read.cause,
  })
}
