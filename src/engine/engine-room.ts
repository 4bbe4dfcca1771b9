import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { SandboxSettings } from '../../verifier/builder/docker/container-spec.ts'
import { DockerSandbox } from '../../verifier/builder/docker/docker-sandbox.ts'
import { DockerEngine, type EngineFacts } from '../../verifier/builder/docker/engine.ts'
import { placeOn } from '../../verifier/builder/docker/placement.ts'
import { builderArchive } from '../../verifier/builder/image-archive.ts'
import type { BuilderImage } from '../../verifier/builder/image-description.ts'
import type { Sandbox } from '../../verifier/builder/sandbox.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import { withPrefix } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { ReadyBuilder } from '../app/ports.ts'
import type { Settings } from '../config/settings.ts'
import { isAlive, processIdentity } from '../storage/process-identity.ts'

/** What the engine keeps for itself, and the operating system: memory that builds are never given. */
const RESERVED_BYTES = 1024 ** 3

/** The Docker engine as the settings want it used. */
export class EngineRoom {
  static #turn = process.pid

  readonly engine: DockerEngine
  readonly #settings: Settings
  readonly #facts: EngineFacts
  readonly #seccomp: string

  private constructor(engine: DockerEngine, settings: Settings, facts: EngineFacts, seccomp: string) {
    this.engine = engine
    this.#settings = settings
    this.#facts = facts
    this.#seccomp = seccomp
  }

  static connect(settings: Settings, home: string): DockerEngine {
    return new DockerEngine({ host: settings.dockerHost ?? undefined, home, owner: processIdentity() })
  }

  /** Asks the engine what it is, and sweeps what killed processes of this home left in it. */
  static async open(o: { settings: Settings; home: string; definition: string }): Promise<EngineRoom> {
    const engine = EngineRoom.connect(o.settings, o.home)
    const facts = await engine.facts()
    if (!facts.seccomp)
      throw new Failure({
        code: 'engine-unsafe',
        message: 'the engine cannot filter system calls',
        hint: 'use an engine with seccomp; bitwitness doctor tells more',
      })
    await engine.sweep(await engine.leftovers(isAlive))
    return new EngineRoom(engine, o.settings, facts, await readFile(path.join(o.definition, 'seccomp.json'), 'utf8'))
  }

  get architecture(): string {
    return this.#facts.architecture
  }

  /** How many builds fit side by side. */
  get slots(): number {
    const { limitCpus, limitMemory } = this.#settings
    const byMemory = Math.floor((this.#facts.memoryBytes - RESERVED_BYTES) / limitMemory)
    return Math.max(1, Math.min(Math.floor(this.#facts.cpus / limitCpus), byMemory))
  }

  sandbox(builder: ReadyBuilder): Sandbox {
    const cpuset = this.#cpuset()
    return new DockerSandbox({ engine: this.engine, image: builder.image, settings: this.#sandboxSettings(), cpuset })
  }

  /** Makes sure that the engine holds exactly this builder. */
  async ready(builder: BuilderImage, blobs: BlobStore, signal: AbortSignal): Promise<ReadyBuilder> {
    const ids = [builder.digest, builder.manifest].map(withPrefix)
    const layer = withPrefix(builder.layer.sha256)
    let image = await this.engine.imageId(ids, layer)
    if (image === undefined) {
      await this.engine.load(builderArchive(builder, blobs), signal)
      image = await this.engine.imageId(ids, layer)
    }
    if (image === undefined)
      throw new Failure({
        code: 'engine-image-differs',
        message: 'the engine holds another image than the one it was given',
        hint: 'look at the log of the engine; an image store that changes what it loads cannot be used',
        audience: 'operator',
      })
    return { digest: builder.digest, mkosi: builder.mkosi, architecture: builder.architecture, image }
  }

  #sandboxSettings(): SandboxSettings {
    const s = this.#settings
    const workspace = s.workspace === 'auto' ? (this.#fitsInMemory() ? 'tmpfs' : 'volume') : s.workspace
    // A workspace in memory counts as memory: what is left over is for the processes.
    const inMemory = Math.min(s.limitDisk, Math.max(s.limitMemory - RESERVED_BYTES, Math.floor(s.limitMemory / 2)))
    return {
      workspace,
      apparmor: this.#facts.apparmor ? s.apparmor : null,
      seccomp: this.#seccomp,
      limits: {
        seconds: s.limitTime,
        memoryBytes: s.limitMemory,
        processes: s.limitProcesses,
        diskBytes: workspace === 'tmpfs' ? inMemory : s.limitDisk,
        outputBytes: s.limitOutput,
        logBytes: s.limitLog,
        cpus: s.limitCpus,
      },
    }
  }

  #fitsInMemory(): boolean {
    return this.#facts.memoryBytes - RESERVED_BYTES >= this.#settings.limitMemory
  }

  /** As many CPUs as a build is to see: those that others leave, and of equals the next ones for the next build of this process. */
  #cpuset(): () => Promise<string> {
    const { cpus } = this.#facts
    const wanted = this.#settings.limitCpus
    if (wanted > cpus)
      throw new Failure({
        code: 'engine-cpus-few',
        message: `the engine has ${cpus} CPUs, and a build is to see ${wanted}`,
        hint: 'lower BITWITNESS_LIMIT_CPUS',
      })
    const turn = EngineRoom.#turn
    EngineRoom.#turn += wanted
    return async () => placeOn({ cpus, wanted, turn, taken: await this.engine.cpusets() })
  }
}
