import { statfs } from 'node:fs/promises'
import { partsOfBuilder } from '../verifier/builder/image-check.ts'
import type { BuilderImage } from '../verifier/builder/image-description.ts'
import type { BlobStore } from '../verifier/model/blob-store.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { Failure } from '../verifier/model/failure.ts'
import { pinSource } from '../verifier/source/pin-source.ts'
import { OWN_ACCESS } from '../verifier/source/source-ref.ts'
import type { Ports } from './app/ports.ts'
import type { RunJob } from './app/service/run-job.ts'
import type { WorkerClaim } from './app/service/worker-protocol.ts'
import { workAttempt } from './app/work-attempt.ts'
import type { BuilderRoom } from './builder-room.ts'
import type { EngineRoom } from './engine/engine-room.ts'

/** What a worker on this machine runs attempts with. */
export type WorkBench = {
  readonly runJob: RunJob
  readonly blobs: BlobStore
  /** How many attempts fit side by side. */
  readonly slots: number
  readonly capabilities: () => Promise<WorkerClaim['capabilities']>
  /** Why nothing more is to be begun here now; null: it may. */
  readonly obstacle: (o: { readonly idle: boolean }) => Promise<Failure | null>
  readonly version: string
}

export type WorkBenchOptions = {
  readonly ports: Ports
  readonly engine: EngineRoom
  readonly builders: BuilderRoom
  /** Folder on the disk that has to have room. */
  readonly home: string
  readonly minFreeBytes: number
  /** Makes room where the store of blobs is a cache of what a coordinator elsewhere has; null: it is not. */
  readonly spend: ((o: { spared: ReadonlySet<Sha256>; idleMs: number; enough: () => Promise<boolean> }) => Promise<unknown>) | null
}

/** What was put so recently may be of somebody else who uses this home. */
const IDLE_MS = 24 * 3_600_000

/** Of what a worker can do no more is told: a coordinator that knew all builders would learn nothing that it acts on. */
const MOST_BUILDERS = 64

export function workBench({ ports, engine, builders, home, minFreeBytes, spend }: WorkBenchOptions): WorkBench {
  const making = new InFlight<BuilderImage>()
  const readying = new InFlight<Awaited<ReturnType<EngineRoom['ready']>>>()
  const runJob = workAttempt({
    ...ports,
    pinArchive: (file, scratch, signal) => pinSource({ kind: 'archive', file, path: '.' }, { scratch, signal, access: OWN_ACCESS }),
    findBuilder: (digest) => builders.find(digest),
    keepBuilder: (image) => builders.keep(image),
    defaultBuilder: async (emit, signal) =>
      (await builders.known()) ??
      (await making.one('', signal, (own) => builders.make({ lock: null, inputs: null, mkosi: null, emit, signal: own }))),
    readyBuilder: (image, signal) => readying.one(image.digest, signal, (own) => engine.ready(image, ports.blobs, own)),
  })
  return {
    runJob,
    blobs: ports.blobs,
    slots: engine.slots,
    version: ports.version,
    capabilities: async () => ({
      architecture: engine.architecture,
      builders: await namesOf(builders),
      isolation: 'shared-kernel',
    }),
    obstacle: async ({ idle }) => {
      const isRoomy = async (): Promise<boolean> => {
        const { bavail, bsize } = await statfs(home)
        return bavail * bsize >= minFreeBytes
      }
      if (!(await isRoomy()) && idle && spend !== null)
        await spend({ spared: await partsOfAll(builders), idleMs: IDLE_MS, enough: isRoomy })
      if (!(await isRoomy())) return lowDisk()
      return (await engine.engine.answers()) ? null : engineAway()
    },
  }
}

/** The one that is taken where none is named comes first: a coordinator goes by that. */
async function namesOf(builders: BuilderRoom): Promise<Sha256[]> {
  const [first, all] = await Promise.all([builders.known(), builders.list()])
  const names = [...(first === undefined ? [] : [first.digest]), ...all.map(({ digest }) => digest)]
  return [...new Set(names)].slice(0, MOST_BUILDERS)
}

/** What a build needs besides is its coordinator's, and comes again. */
async function partsOfAll(builders: BuilderRoom): Promise<ReadonlySet<Sha256>> {
  return new Set((await builders.list()).flatMap(partsOfBuilder))
}

/** Attempts side by side that need the same builder make it, or load it, once. */
class InFlight<T> {
  readonly #running = new Map<string, Promise<T>>()

  async one(key: string, signal: AbortSignal, make: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const running = this.#running.get(key)
    if (running !== undefined) {
      // Whoever began it may have been stopped: then it is begun anew.
      const made = await running.catch(() => undefined)
      signal.throwIfAborted()
      return made ?? (await this.one(key, signal, make))
    }
    const begun = make(signal).finally(() => this.#running.delete(key))
    this.#running.set(key, begun)
    return await begun
  }
}

/** Whatever is begun meanwhile would use its tries up. */
function engineAway(): Failure {
  return new Failure({
    code: 'engine-unreachable',
    message: 'the Docker engine does not answer',
    hint: 'start it, or look at its log; attempts are taken again once it answers',
    audience: 'operator',
    retryable: true,
  })
}

function lowDisk(): Failure {
  return new Failure({
    code: 'disk-space-low',
    message: 'there is too little room on the disk of the home to begin a build',
    hint: 'make room there, or lower BITWITNESS_MIN_FREE',
    audience: 'operator',
  })
}
