import { Failure } from '../verifier/model/failure.ts'
import type { WorkingDocument } from './app/service/working-document.ts'
import type { Settings } from './config/settings.ts'
import { COORDINATOR_FORM } from './config/worker-settings.ts'
import { Context } from './context.ts'
import { openLog } from './logging/log.ts'
import { loggedNews } from './logging/logged-news.ts'
import type { WorkBench } from './work-bench.ts'
import { HttpCoordinator } from './worker/http-coordinator.ts'
import { runWorker } from './worker/worker.ts'
import type { WorkerKey } from './worker-auth/worker-key.ts'
import { openWorkerKeyOf } from './worker-key-room.ts'

export type WorkerRoomOptions = {
  readonly settings: Settings
  /** Goes before what the settings say. */
  readonly coordinator: URL | null
  /** Takes lines of the log. */
  readonly log: (line: string) => void
}

/** A worker of a coordinator elsewhere, with the engine of this machine. */
export class WorkerRoom implements AsyncDisposable {
  readonly facts: WorkingDocument
  readonly #o: WorkerRoomOptions
  readonly #bench: WorkBench
  readonly #origin: URL
  readonly #key: WorkerKey
  readonly #context: Context

  private constructor(o: {
    facts: WorkingDocument
    options: WorkerRoomOptions
    bench: WorkBench
    origin: URL
    key: WorkerKey
    context: Context
  }) {
    this.facts = o.facts
    this.#o = o.options
    this.#bench = o.bench
    this.#origin = o.origin
    this.#key = o.key
    this.#context = o.context
  }

  /** Fails with `coordinator-missing`, and as opening the home, the key and the engine do. */
  static async open(options: WorkerRoomOptions): Promise<WorkerRoom> {
    const { settings } = options
    const origin = options.coordinator ?? settings.coordinator
    if (origin === null) throw coordinatorMissing()
    const key = await openWorkerKeyOf(settings)
    const context = await Context.open(settings)
    const bench = await context.workBench({ cache: true })
    const { architecture } = await bench.capabilities()
    const facts: WorkingDocument = {
      schema: 'bitwitness/working/v1',
      coordinator: origin.href,
      publicKey: key.publicKey,
      version: bench.version,
      architecture,
      slots: bench.slots,
      home: settings.home,
    }
    return new WorkerRoom({ facts, options, bench, origin, key, context })
  }

  /** Works until the signal fires, and then until what runs has ended or its time is over. Rejects where the coordinator does not want it. */
  async work(signal: AbortSignal): Promise<void> {
    const { settings, log } = this.#o
    const { version } = this.#bench
    await runWorker({
      ...this.#bench,
      coordinator: new HttpCoordinator({ origin: this.#origin, key: this.#key, version }),
      timing: { drainMs: settings.grace * 1000 },
      tell: loggedNews(openLog({ level: settings.logLevel, write: log })),
      signal,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context[Symbol.asyncDispose]()
  }
}

function coordinatorMissing(): Failure {
  return new Failure({
    code: 'coordinator-missing',
    message: 'no coordinator is named',
    hint: `give --coordinator, or set BITWITNESS_COORDINATOR: ${COORDINATOR_FORM}`,
  })
}
