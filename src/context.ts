import { statfs } from 'node:fs/promises'
import path from 'node:path'
import type { BuilderImage } from '../verifier/builder/image-description.ts'
import { type BuilderStore, openBuilderStore } from '../verifier/builder/image-store.ts'
import { gatherInputs } from '../verifier/builder/inputs/gather.ts'
import type { InputProxy } from '../verifier/builder/inputs/input-proxy.ts'
import { readInputsArchive, writeInputsArchive } from '../verifier/builder/inputs/inputs-archive.ts'
import { misdescribedInputs } from '../verifier/builder/inputs/lock-truth.ts'
import { recordInputs } from '../verifier/builder/inputs/record.ts'
import { replayInputs } from '../verifier/builder/inputs/replay.ts'
import type { BlobStore } from '../verifier/model/blob-store.ts'
import type { EmitEvent } from '../verifier/model/event.ts'
import { mkosiArchitecture } from '../verifier/recipe/debian-architecture.ts'
import { pinSource } from '../verifier/source/pin-source.ts'
import type { PinnedTree } from '../verifier/source/pinned-tree.ts'
import { parseSourceRef } from '../verifier/source/source-ref.ts'
import { type BuildCommand, build } from './app/build.ts'
import { check } from './app/check.ts'
import { type DoctorReport, doctor, type MirrorProbe } from './app/doctor.ts'
import { type ExportProofCommand, exportProof } from './app/export-proof.ts'
import type { ExportReport } from './app/export-report.ts'
import type { Ports, ReadyBuilder, ScratchFolder } from './app/ports.ts'
import type { ProofCheckDocument } from './app/proof-check.ts'
import { type BlobRead, type ReadBlobCommand, readBlob } from './app/read-blob.ts'
import type { RebuildCommand } from './app/rebuild.ts'
import { type VerifyCommand, verify } from './app/verify.ts'
import type { VerifyAttestationPorts } from './app/verify-attestation.ts'
import { type VerifyProofCommand, verifyProof } from './app/verify-proof.ts'
import { BuilderRoom, type MakeBuilder } from './builder-room.ts'
import { type ChosenMirrors, chosenMirrors } from './chosen-mirrors.ts'
import { bringClaimed, requireUsable } from './claimed-bytes.ts'
import { type Home, openHome } from './config/home.ts'
import { findPackage } from './config/package-root.ts'
import type { Settings } from './config/settings.ts'
import { sourceAccess } from './config/source-access.ts'
import { bringFile } from './download/bring-file.ts'
import type { DownloadRules } from './download/download.ts'
import { downloadRules } from './download/rules.ts'
import { EngineRoom } from './engine/engine-room.ts'
import { idRange } from './host/id-range.ts'
import { probeMirror } from './host/mirror-probe.ts'
import { missingPrograms } from './host/programs.ts'
import { readLock } from './read-lock.ts'
import { type LocalBlobs, openBlobFolder } from './storage/blob-folder.ts'
import { homeId } from './storage/home-id.ts'
import { isAlive } from './storage/process-identity.ts'
import { makeScratch, sweepScratch } from './storage/scratch.ts'
import { spendBlobs } from './storage/spend-blobs.ts'
import { type WorkBench, type WorkBenchOptions, workBench } from './work-bench.ts'

/** Claimed bytes are fetched only to explain; a build's own bound is far above what images weigh. */
const DOWNLOAD_SECONDS = 3600

/** What stands behind the command line on one machine. */
export class Context implements AsyncDisposable {
  readonly #settings: Settings
  readonly #home: Home
  readonly #id: string
  readonly #blobs: BlobStore
  /** The same of this machine alone: builders, and what commands of this home leave. */
  readonly #own: LocalBlobs
  readonly #builders: BuilderRoom
  readonly #mirrors: ChosenMirrors
  readonly #definition: string
  readonly #version: string
  /** Folders of killed processes that were removed when this was opened. */
  readonly #swept: number
  #room: Promise<EngineRoom> | undefined

  private constructor(o: {
    settings: Settings
    home: Home
    id: string
    swept: number
    blobs: BlobStore
    own: LocalBlobs
    builders: BuilderStore
  }) {
    const { root, version } = findPackage()
    this.#settings = o.settings
    this.#home = o.home
    this.#id = o.id
    this.#blobs = o.blobs
    this.#own = o.own
    this.#definition = path.join(root, 'mkosi', 'builder')
    this.#mirrors = chosenMirrors(o.settings)
    this.#builders = new BuilderRoom({
      store: o.builders,
      blobs: o.own,
      definition: this.#definition,
      mkosi: o.settings.mkosi,
      work: o.home.work,
      mirrors: this.#mirrors,
      architecture: async () => (await this.#engineRoom()).architecture,
    })
    this.#version = version
    this.#swept = o.swept
  }

  /**
   * Opens the home and sweeps the folders that killed processes left in it. The engine is asked only when it is needed. `blobs`: of this
   * home, for everything but builders.
   */
  static async open(settings: Settings, o: { readonly blobs?: BlobStore } = {}): Promise<Context> {
    const home = await openHome(settings.home)
    const swept = await sweepScratch(home.work)
    const own = await openBlobFolder(home.blobs)
    const builders = await openBuilderStore(home.builders, own)
    return new Context({ settings, home, id: await homeId(path.join(home.root, 'id')), swept, blobs: o.blobs ?? own, own, builders })
  }

  /** Nothing is held open between calls. */
  async [Symbol.asyncDispose](): Promise<void> {}

  async verify(command: VerifyCommand) {
    if (command.claimed !== null) await requireUsable(command.claimed, this.#downloadRules())
    return await verify(await this.ports(), command)
  }

  /** `attestations`: what verifying who signed needs. */
  async verifyProof(command: VerifyProofCommand, attestations: VerifyAttestationPorts): Promise<ProofCheckDocument> {
    if (command.claimed !== null) await requireUsable(command.claimed, this.#downloadRules())
    return await verifyProof(
      {
        scratch: () => makeScratch(this.#home.work),
        fetchProof: ({ location, folder, signal }) => bringFile(location, folder, this.#downloadRules(), signal),
        attestations,
        rebuilding: async () => ({ ...(await this.ports()), bringBuilder: (image, o) => this.#builders.bring(image, o) }),
      },
      command,
    )
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
      leftovers: async () => ({ ...(await engine.leftovers(isAlive)), folders: this.#swept }),
      mirrors: () => this.#probeMirrors(signal),
      programs: missingPrograms,
      idRange: () => idRange(),
      freeBytes: async () => {
        const { bavail, bsize } = await statfs(this.#home.root)
        return bavail * bsize
      },
      sandbox: async () => {
        const room = await this.#engineRoom()
        const builder = await this.#builders.known()
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

  async makeBuilder(o: MakeBuilder): Promise<BuilderImage> {
    return await this.#builders.make(o)
  }

  async listBuilders(): Promise<readonly BuilderImage[]> {
    return await this.#builders.list()
  }

  async showBuilder(reference: string | null): Promise<BuilderImage> {
    return await this.#builders.show(reference)
  }

  async exportBuilder(o: { reference: string | null; path: string; inputs: boolean; signal: AbortSignal }): Promise<BuilderImage> {
    return await this.#builders.export(o)
  }

  async importBuilder(file: string, signal: AbortSignal): Promise<BuilderImage> {
    return await this.#builders.import(file, signal)
  }

  async exportProof(command: ExportProofCommand): Promise<ExportReport> {
    return await exportProof(
      {
        blobs: this.#blobs,
        scratch: () => makeScratch(this.#home.work),
        knownBuilder: (digest) => this.#builders.show(digest),
        pin: (source, scratch, signal) => this.#pin(source, scratch, signal),
      },
      command,
    )
  }

  async readBlob(command: ReadBlobCommand): Promise<BlobRead> {
    return await readBlob(this.#blobs, command)
  }

  /** What the use cases get here, for whoever runs one in parts. */
  async ports(): Promise<Ports> {
    const room = await this.#engineRoom()
    return {
      version: this.#version,
      blobs: this.#blobs,
      reader: async (wanted) => ({
        architecture: mkosiArchitecture(room.architecture),
        mkosi: wanted === null ? this.#settings.mkosi : (await this.#builders.show(wanted)).mkosi,
      }),
      slots: room.slots,
      outputBytes: this.#settings.limitOutput,
      now: () => new Date().toISOString(),
      scratch: (): Promise<ScratchFolder> => makeScratch(this.#home.work),
      pin: (source, scratch, signal) => this.#pin(source, scratch, signal),
      builder: (wanted, emit, signal) => this.#builder(room, { wanted, emit, signal }),
      sandbox: (builder) => room.sandbox(builder),
      record: async ({ architecture, snapshot, signal }): Promise<InputProxy> =>
        recordInputs({ mirrors: await this.#mirrors(snapshot), blobs: this.#blobs, architecture, snapshot, signal }),
      replay: (lock) => replayInputs({ lock, blobs: this.#blobs }),
      gather: async (lock, signal) => await gatherInputs({ lock, blobs: this.#blobs, mirrors: await this.#mirrors(lock.snapshot), signal }),
      misdescribed: (lock) => misdescribedInputs(lock, this.#blobs),
      readLock,
      readInputs: (file, signal) => readInputsArchive({ path: file, blobs: this.#blobs, signal }),
      writeInputs: async ({ lock, path: file }) => {
        await writeInputsArchive({ lock, blobs: this.#blobs, path: file })
      },
      fetchClaimed: (o) => bringClaimed(o, this.#settings, this.#downloadRules()),
    }
  }

  /** What a worker of this machine runs attempts with. `cache`: what it has, a coordinator elsewhere has too, and may go for want of room. */
  async workBench(o: { readonly cache?: boolean } = {}): Promise<WorkBench> {
    const engine = await this.#engineRoom()
    const ports = await this.ports()
    const { minFree: minFreeBytes } = this.#settings
    const spending = { folder: this.#home.blobs, blobs: this.#own }
    const spend: WorkBenchOptions['spend'] = o.cache === true ? (some) => spendBlobs({ ...some, ...spending }) : null
    return workBench({ ports, engine, builders: this.#builders, home: this.#home.root, minFreeBytes, spend })
  }

  async #pin(source: string, scratch: string, signal: AbortSignal): Promise<PinnedTree> {
    const access = sourceAccess(this.#settings.sources)
    return await pinSource(parseSourceRef(source, access), { scratch, signal, access })
  }

  #downloadRules(): DownloadRules {
    const { sources, limitOutput } = this.#settings
    return downloadRules(sourceAccess(sources), { maxBytes: limitOutput, seconds: DOWNLOAD_SECONDS })
  }

  async #builder(room: EngineRoom, o: { wanted: string | null; emit: EmitEvent; signal: AbortSignal }): Promise<ReadyBuilder> {
    const known = o.wanted === null ? await this.#builders.known() : await this.#builders.show(o.wanted)
    const builder = known ?? (await this.#builders.make({ lock: null, inputs: null, mkosi: null, emit: o.emit, signal: o.signal }))
    return await room.ready(builder, this.#blobs, o.signal)
  }

  #engineRoom(): Promise<EngineRoom> {
    this.#room ??= EngineRoom.open({ settings: this.#settings, home: this.#id, definition: this.#definition })
    return this.#room
  }

  async #probeMirrors(signal: AbortSignal): Promise<readonly MirrorProbe[]> {
    const probes: MirrorProbe[] = []
    for (const [archive, urls] of await this.#mirrors(null)) {
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
