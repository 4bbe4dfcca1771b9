import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../verifier/model/failure.ts'
import { LocalCoordinator } from './app/service/local-coordinator.ts'
import type { ServiceEvents } from './app/service/service-events.ts'
import type { WorkerPorts } from './app/service/worker-ports.ts'
import type { Worker } from './app/store/records.ts'
import type { Settings } from './config/settings.ts'
import { Context } from './context.ts'
import type { WorkBench } from './work-bench.ts'
import { runWorker } from './worker/worker.ts'
import type { WorkerKey } from './worker-auth/worker-key.ts'

export type LocalWorkerOptions = {
  readonly settings: Settings
  readonly ports: WorkerPorts
  /** Whose reports they are; the same at each start, so that lists show one worker. */
  readonly key: WorkerKey
  readonly events: ServiceEvents
}

/** How long the reports of what was stopped may take, ms. */
const LAST_MS = 5_000
/** How often an engine is looked for where there was none, ms. */
const LOOK_MS = 30_000

/** A worker inside of a coordinator: it takes what those submitted whom the operator vouches for, and nothing of strangers. */
export class LocalWorker {
  readonly architecture: string
  readonly slots: number
  readonly #bench: WorkBench
  readonly #o: LocalWorkerOptions & { readonly worker: Worker }

  private constructor(bench: WorkBench, architecture: string, o: LocalWorkerOptions & { readonly worker: Worker }) {
    this.slots = bench.slots
    this.architecture = architecture
    this.#bench = bench
    this.#o = o
  }

  /** Fails as the engine does where there is none, and with `worker-revoked` where the operator took the worker out. */
  static async open(o: LocalWorkerOptions): Promise<LocalWorker> {
    const context = await Context.open(o.settings, { blobs: o.ports.blobs })
    const bench = await context.workBench()
    const { architecture } = await bench.capabilities()
    return new LocalWorker(bench, architecture, { ...o, worker: await registered(o) })
  }

  /** The worker of this process, or why there is none now: others may build, and it is tried for again. */
  static async tryOpen(o: LocalWorkerOptions): Promise<LocalWorker | Failure> {
    try {
      return await LocalWorker.open(o)
    } catch (error) {
      if (error instanceof Failure) return error
      throw error
    }
  }

  /**
   * Claims and runs attempts until the signal fires, and resolves once what ran has ended or was given back. A worker that is not wanted
   * any more is told, and takes nothing else with it.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { events } = this.#o
    await this.#work(signal).catch((error: unknown) => events.trouble({ where: 'worker', error }))
    const { promise: stopped, resolve } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (!signal.aborted) await stopped
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { ports, worker, events, settings } = this.#o
    await runWorker({
      ...this.#bench,
      // Whatever else the same key was registered for: here it shares a machine with the coordinator's keys.
      coordinator: new LocalCoordinator(ports, { ...worker, place: 'in-process' }),
      timing: { drainMs: settings.grace * 1000, lastMs: LAST_MS },
      tell: (news) => {
        if (news.kind === 'holding') events.workerHolding({ code: news.code })
      },
      signal,
    })
  }
}

/** The worker of this key, made at the first start. */
async function registered({ ports, key }: LocalWorkerOptions): Promise<Worker> {
  const { unitOfWork, reads, now, newId } = ports
  const known = await reads.workers.withKey(key.publicKey)
  if (known !== undefined) return known
  const id = newId()
  const heard = { capabilities: null, revokedAt: null, lastSeenAt: null }
  const worker: Worker = { id, name: `coordinator-${id}`, place: 'in-process', publicKey: key.publicKey, addedAt: now(), ...heard }
  if (await unitOfWork.run(({ workers }) => workers.insert(worker))) return worker
  throw new Failure({
    code: 'worker-revoked',
    message: 'the worker of this process was revoked by the operator',
    hint: 'run serve with --no-worker, or give this home another key for it: remove keys/worker.pem',
  })
}

/** Works until the signal fires, from when there is an engine on. `found`: what came of looking for it the first time. */
export async function workLocally(found: LocalWorker | Failure, o: LocalWorkerOptions, signal: AbortSignal): Promise<void> {
  let worker = found
  while (worker instanceof Failure) {
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {
      // It is over.
    })
    if (signal.aborted) return
    worker = await LocalWorker.tryOpen(o)
  }
  if (found instanceof Failure) o.events.workerBegun({ architecture: worker.architecture })
  await worker.run(signal)
}
