import { randomUUIDv7 } from 'node:crypto'
import { Failure } from '../verifier/model/failure.ts'
import type { ServicePorts } from './app/service/accept-verification.ts'
import { keptAnswer } from './app/service/kept-answer.ts'
import { readReadiness } from './app/service/readiness.ts'
import { type ServiceEvents, tellAll } from './app/service/service-events.ts'
import { figuresOf } from './app/service/service-figures.ts'
import type { ServingDocument } from './app/service/serving-document.ts'
import type { CiIdentity } from './config/ci-identity.ts'
import { openHome } from './config/home.ts'
import { findPackage } from './config/package-root.ts'
import type { Settings } from './config/settings.ts'
import { controlServer } from './control/control-server.ts'
import { probes } from './http/resources/probes.ts'
import { Listening } from './listening.ts'
import { openLog } from './logging/log.ts'
import { loggedEvents } from './logging/logged-events.ts'
import { ServiceMetrics } from './metrics/service-metrics.ts'
import { operatorOf } from './operator-room.ts'
import { openApi } from './service-api.ts'
import { serviceJobs } from './service-jobs.ts'
import { SigningRoom } from './signing-room.ts'
import { openBlobFolder } from './storage/blob-folder.ts'
import { probeBlobs } from './storage/blob-probe.ts'
import { sweepScratch } from './storage/scratch.ts'
import { openStore } from './store-access.ts'
import type { StoreRoom } from './store-room.ts'

export type ServiceOptions = {
  readonly settings: Settings
  readonly ci: CiIdentity
  /** Whether this process builds as well, where there is an engine. */
  readonly worker: boolean
  /** Takes lines of the log. */
  readonly log: (line: string) => void
  /** Whether errors that are not ours show their own text in the log. */
  readonly debug: boolean
}

/** Goes on until the signal fires, and resolves once what was under way is over. */
type Duty = (signal: AbortSignal) => Promise<void>

/** How often lost jobs are looked for. */
const SUPERVISE_SECONDS = 10
const FIGURES = { keepMs: 5_000, patienceMs: 2_000 }

/** The service, listening. */
export class ServiceRoom implements AsyncDisposable {
  readonly facts: ServingDocument
  readonly #events: ServiceEvents
  readonly #graceMs: number
  readonly #listening: Listening
  readonly #duties: readonly Duty[]
  readonly #held: AsyncDisposableStack

  private constructor(o: {
    facts: ServingDocument
    events: ServiceEvents
    graceMs: number
    listening: Listening
    duties: readonly Duty[]
    held: AsyncDisposableStack
  }) {
    this.facts = o.facts
    this.#events = o.events
    this.#graceMs = o.graceMs
    this.#listening = o.listening
    this.#duties = o.duties
    this.#held = o.held
  }

  /** Fails as `openHome`, `openStore`, `controlServer`, `openApi` and `Listening.open` do. */
  static async open({ settings, ci, log, debug }: ServiceOptions): Promise<ServiceRoom> {
    await using opening = new AsyncDisposableStack()
    const signing = new SigningRoom({ settings, ci, key: null })
    const { keyed } = await signing.ports()
    const home = await openHome(settings.home)
    const now = (): Date => new Date()
    const clock = (): number => performance.now()
    const figures = keptAnswer({ read: () => figuresOf({ reads: store.reads, queue: store.queue, now })(), clock, ...FIGURES })
    const metrics = new ServiceMetrics({ figures, now, process: true })
    const events = tellAll(loggedEvents(openLog({ level: settings.logLevel, write: log }), { debug }), metrics.events)
    const onTrouble = (error: Failure): void => events.trouble({ where: 'queue', error })
    const store: StoreRoom = opening.use(await openStore({ settings, superviseSeconds: SUPERVISE_SECONDS, onTrouble }))
    const service: ServicePorts = { unitOfWork: store.unitOfWork, now, newId: () => randomUUIDv7(), events, leaseMs: settings.lease * 1000 }
    opening.use(await controlServer({ operator: operatorOf(store), home: home.root }))
    const room = keptAnswer({ read: () => probeBlobs(home.blobs), clock, ...FIGURES })
    const watched = { figures, blobs: room, supervised: now, superviseSeconds: SUPERVISE_SECONDS, minFreeBytes: settings.minFree, now }
    const readiness = () => readReadiness(watched)
    await sweepScratch(home.work)
    const blobs = await openBlobFolder(home.blobs)
    const api = opening.use(
      await openApi({ settings, store, blobs, service, events, webhookSecret: noWebhooks, parts: [probes({ readiness, metrics })] }),
    )
    const { host, port } = settings.listen
    const listening = await Listening.open({
      fetch: (request, env) => api.app.fetch(request, env),
      host,
      port,
      requestMs: api.requestMs,
      onError: (error) => events.trouble({ where: 'listening', error }),
    })
    opening.defer(() => listening.close(0))
    const duties = [serviceJobs({ settings, home, store, blobs, service, events, signing })]
    events.started({ database: store.database.kind, worker: 'none' })
    const facts: ServingDocument = {
      schema: 'bitwitness/serving/v1',
      url: listening.url.href,
      version: findPackage().version,
      database: store.database.kind === 'pglite' ? 'embedded' : 'postgres',
      home: home.root,
      signer: { kind: keyed ? 'key' : 'sigstore', fingerprint: keyed ? (await signing.key()).fingerprint : null },
      worker: null,
      noWorker: null,
    }
    return new ServiceRoom({ facts, events, graceMs: settings.grace * 1000, listening, duties, held: opening.move() })
  }

  /** Serves until the signal fires. Rejects where something ended that must not. */
  async serve(signal: AbortSignal): Promise<void> {
    const stop = new AbortController()
    const duties = this.#duties.map((duty) => duty(stop.signal))
    const { promise: stopped, resolve } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) resolve()
    try {
      await Promise.race([stopped, ...duties.map((duty) => duty.then(() => Promise.reject(endedEarly())))])
    } finally {
      this.#events.stopping({ graceSeconds: this.#graceMs / 1000 })
      stop.abort()
      await Promise.allSettled([...duties, this.#listening.close(this.#graceMs)])
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held.disposeAsync()
    this.#events.stopped({ clean: true })
  }
}

function endedEarly(): Failure {
  return new Failure({
    code: 'service-ended',
    message: 'a part of the service ended by itself',
    hint: 'start it again, and report what its log says',
    audience: 'operator',
  })
}

const noWebhooks = (): Promise<string> => Promise.reject(new Error('not yet'))
