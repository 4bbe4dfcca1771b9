import { Readable } from 'node:stream'
import Docker from 'dockerode'
import { z } from 'zod'
import { Failure } from '../../model/failure.ts'
import { LABEL_CPUSET, LABEL_HOME, LABEL_OWNER } from './container-spec.ts'

/** What we need to know of an engine before we trust it with a build. */
export type EngineFacts = {
  readonly version: string
  readonly architecture: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly apparmor: boolean
  readonly seccomp: boolean
  readonly rootless: boolean
  readonly userns: boolean
  readonly cgroupVersion: string
  readonly storageDriver: string
  readonly kernel: string
}

export type Leftovers = { readonly containers: readonly string[]; readonly volumes: readonly string[] }

export type EngineOptions = {
  /** As in DOCKER_HOST: unix://…, tcp://…, ssh://…; undefined: the local socket. */
  readonly host?: string | undefined
  /** Identifies whose leftovers are ours. */
  readonly home: string
  /** `<pid>:<start time>` of this process. */
  readonly owner: string
}

/** The one place that constructs Dockerode. */
export class DockerEngine {
  readonly client: Docker
  readonly labels: Readonly<Record<string, string>>
  readonly #options: EngineOptions

  constructor(options: EngineOptions) {
    this.#options = options
    this.labels = { [LABEL_HOME]: options.home, [LABEL_OWNER]: options.owner }
    this.client = new Docker(clientOptions(options.host))
  }

  async facts(): Promise<EngineFacts> {
    const info = EngineInfo.parse(await this.asking('engine-unreachable', () => this.client.info()))
    const has = (name: string): boolean => info.SecurityOptions.some((option) => option.includes(`name=${name}`))
    return {
      version: info.ServerVersion,
      architecture: ARCHITECTURES[info.Architecture] ?? info.Architecture,
      cpus: info.NCPU,
      memoryBytes: info.MemTotal,
      apparmor: has('apparmor'),
      seccomp: has('seccomp'),
      rootless: has('rootless'),
      userns: has('userns'),
      cgroupVersion: info.CgroupVersion,
      storageDriver: info.Driver,
      kernel: info.KernelVersion,
    }
  }

  async answers(): Promise<boolean> {
    try {
      const late = new Promise<never>((_, reject) => AbortSignal.timeout(5000).addEventListener('abort', () => reject(new Error('late'))))
      await Promise.race([this.client.ping(), late])
      return true
    } catch {
      return false
    }
  }

  /** Image id, or undefined where the engine does not hold it. A newer image store names an image by its manifest, not its config. */
  async imageId(candidates: readonly string[], diffId: string): Promise<string | undefined> {
    for (const candidate of candidates) {
      try {
        const found = ImageInspect.parse(await this.client.getImage(candidate).inspect())
        if (found.RootFS.Layers.length === 1 && found.RootFS.Layers[0] === diffId) return found.Id
      } catch (error) {
        if (statusOf(error) !== 404) throw engineFailure('engine-unreachable', error)
      }
    }
    return undefined
  }

  /** `docker load` of an image archive; broken off, with the signal's reason, where that aborts. */
  async load(archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const body = Readable.from(archive, { objectMode: false })
    try {
      await this.asking('engine-load-failed', async () => {
        const answer = await this.client.loadImage(body, { quiet: true, abortSignal: signal })
        let text = ''
        for await (const part of answer as AsyncIterable<Buffer>) text = (text + part.toString('utf8')).slice(-4096)
        if (text.includes('"error"')) throw new Error('load')
      })
    } catch (error) {
      signal.throwIfAborted()
      throw error
    } finally {
      body.destroy()
    }
  }

  /** The CPUs of each build under way, of any home. */
  async cpusets(): Promise<readonly string[]> {
    const filters = { label: [LABEL_CPUSET] }
    const containers = await this.asking('engine-unreachable', () => this.client.listContainers({ filters }))
    return containers.map(({ Labels }) => Labels[LABEL_CPUSET] ?? '')
  }

  /** Containers and volumes of this home whose owner is gone. `alive` answers for an owner's label. */
  async leftovers(alive: (owner: string) => boolean): Promise<Leftovers> {
    const filters = { label: [`${LABEL_HOME}=${this.#options.home}`] }
    return await this.asking('engine-unreachable', async () => {
      const containers = await this.client.listContainers({ all: true, filters })
      const { Volumes } = await this.client.listVolumes({ filters })
      return {
        containers: containers.filter((one) => !alive(one.Labels[LABEL_OWNER] ?? '')).map((one) => one.Id),
        volumes: (Volumes ?? []).filter((one) => !alive(one.Labels?.[LABEL_OWNER] ?? '')).map((one) => one.Name),
      }
    })
  }

  async sweep(leftovers: Leftovers): Promise<void> {
    for (const id of leftovers.containers) await this.gone(() => this.client.getContainer(id).remove({ force: true, v: true }))
    for (const name of leftovers.volumes) await this.gone(() => this.client.getVolume(name).remove({ force: true }))
  }

  /** Removes something; that it is gone already is what we want, and a removal under way ends the same. */
  async gone(remove: () => Promise<unknown>): Promise<void> {
    try {
      await remove()
    } catch (error) {
      const status = statusOf(error)
      if (status !== 404 && status !== 409) throw engineFailure('engine-unreachable', error)
    }
  }

  async asking<T>(code: EngineFailureCode, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (error instanceof Failure || error instanceof z.ZodError) throw error
      throw engineFailure(code, error)
    }
  }
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64', amd64: 'amd64', arm64: 'arm64' }

const EngineInfo = z.object({
  ServerVersion: z.string(),
  Architecture: z.string(),
  NCPU: z.int().positive(),
  MemTotal: z.int().nonnegative(),
  SecurityOptions: z
    .array(z.string())
    .nullish()
    .transform((options) => options ?? []),
  CgroupVersion: z.string().default('1'),
  Driver: z.string(),
  KernelVersion: z.string(),
})

const ImageInspect = z.object({ Id: z.string(), RootFS: z.object({ Layers: z.array(z.string()) }) })

export type EngineFailureCode = 'engine-unreachable' | 'engine-load-failed' | 'engine-create-failed' | 'engine-start-failed'

const MESSAGES: Readonly<Record<EngineFailureCode, readonly [message: string, hint: string]>> = {
  'engine-unreachable': [
    'the Docker engine does not answer',
    'start it, or point DOCKER_HOST at one; bitwitness doctor says what is missing',
  ],
  'engine-load-failed': ['the Docker engine did not take the builder image', 'look for free disk space and at the log of the engine'],
  'engine-create-failed': ['the Docker engine refused the container', 'bitwitness doctor tells which of the settings the engine lacks'],
  'engine-start-failed': [
    'the Docker engine could not start the container',
    'bitwitness doctor tells which of the settings the engine lacks',
  ],
}

function engineFailure(code: EngineFailureCode, cause: unknown): Failure {
  const [message, hint] = MESSAGES[code]
  // The engine's own text may name paths and hosts of the machine: it stays in `cause`, which is never printed.
  return new Failure({ code, message, hint, audience: 'operator', retryable: true, data: { status: statusOf(cause) ?? null }, cause })
}

export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | null)?.statusCode
  return typeof status === 'number' ? status : undefined
}

function clientOptions(host: string | undefined): Docker.DockerOptions {
  if (host === undefined || host === '') return { socketPath: '/var/run/docker.sock' }
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) }
  const url = URL.canParse(host) ? new URL(host) : undefined
  if (url?.protocol === 'ssh:')
    return {
      protocol: 'ssh',
      host: url.hostname,
      port: url.port === '' ? 22 : Number(url.port),
      username: decodeURIComponent(url.username),
    }
  // Plain TCP gives everybody on the way root on the engine's host: TLS comes with DOCKER_CERT_PATH, which dockerode reads itself.
  if (url?.protocol === 'tcp:' || url?.protocol === 'https:') return {}
  throw new Failure({
    code: 'engine-address-unknown',
    message: 'DOCKER_HOST is not an address we know',
    hint: 'use unix://, ssh:// or tcp:// with TLS',
  })
}
