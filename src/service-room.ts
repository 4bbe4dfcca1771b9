import { randomUUIDv7 } from 'node:crypto'
import { Failure } from '../verifier/model/failure.ts'
import type { ServicePorts } from './app/service/accept-verification.ts'
import { deployedApps } from './app/service/deployed-apps.ts'
import { Allowlists } from './app/service/export-allowlist.ts'
import { askedApps, Impacts } from './app/service/find-impact.ts'
import { GateDesk } from './app/service/gate-desk.ts'
import { GivenBytes } from './app/service/given-bytes.ts'
import { HeldBundles } from './app/service/held-bundles.ts'
import { JobDesk } from './app/service/job-desk.ts'
import { KnownLints } from './app/service/known-lints.ts'
import { leaseAttempt } from './app/service/lease-attempt.ts'
import { OpenGate } from './app/service/open-gate.ts'
import { Policies } from './app/service/policies.ts'
import { type ServiceEvents, tellAll } from './app/service/service-events.ts'
import type { ServingDocument } from './app/service/serving-document.ts'
import { webhookSecret } from './app/service/webhook-signature.ts'
import type { WorkerPorts } from './app/service/worker-ports.ts'
import type { CiIdentity } from './config/ci-identity.ts'
import { openHome } from './config/home.ts'
import type { Settings } from './config/settings.ts'
import { controlServer } from './control/control-server.ts'
import { openTargets } from './deploy-room.ts'
import { gateRoot } from './gate-root.ts'
import { Listening } from './listening.ts'
import { LocalWorker, workLocally } from './local-worker.ts'
import { openLog } from './logging/log.ts'
import { loggedEvents } from './logging/logged-events.ts'
import { openWebhookRoot } from './notify/webhook-key.ts'
import { openObserving } from './observing-room.ts'
import { operatorOf } from './operator-room.ts'
import { openApi } from './service-api.ts'
import { serviceHouse } from './service-house.ts'
import { serviceJobs } from './service-jobs.ts'
import { ServiceWatch, SUPERVISE_SECONDS } from './service-watch.ts'
import { servingFacts } from './serving-facts.ts'
import { SigningRoom } from './signing-room.ts'
import { openBlobFolder } from './storage/blob-folder.ts'
import { BroughtBlobs } from './storage/brought-blobs.ts'
import { PolicyFolder } from './storage/policy-folder.ts'
import { sweepScratch } from './storage/scratch.ts'
import { openStore } from './store-access.ts'
import { openWorkerKey } from './worker-auth/worker-key.ts'

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

type Parts = {
  readonly facts: ServingDocument
  readonly events: ServiceEvents
  readonly graceMs: number
  readonly listening: Listening
  readonly duties: readonly Duty[]
  /** What clients and workers wait at. */
  readonly front: AsyncDisposableStack
  readonly held: AsyncDisposableStack
}

/** The service, listening. */
export class ServiceRoom implements AsyncDisposable {
  readonly facts: ServingDocument
  readonly #o: Parts

  private constructor(o: Parts) {
    this.facts = o.facts
    this.#o = o
  }

  /** Fails as `openHome`, `PolicyFolder.open`, `openStore`, `controlServer`, `openApi`, `Listening.open` and opening a signer do. */
  static async open({ settings, ci, log, debug, worker: wanted }: ServiceOptions): Promise<ServiceRoom> {
    await using opening = new AsyncDisposableStack()
    const signing = new SigningRoom({ settings, ci, key: null })
    // What is wrong with a key is told before anything is opened.
    await signing.ports()
    const home = await openHome(settings.home)
    const files = await PolicyFolder.open(settings.policies)
    const now = (): Date => new Date()
    const watch = new ServiceWatch({ blobs: home.blobs, minFreeBytes: settings.minFree, now })
    const events = tellAll(loggedEvents(openLog({ level: settings.logLevel, write: log }), { debug }), watch.events)
    const onTrouble = (error: Failure): void => events.trouble({ where: 'queue', error })
    const store = opening.use(await openStore({ settings, superviseSeconds: SUPERVISE_SECONDS, onTrouble }))
    watch.look({ reads: store.reads, queue: store.queue })
    // What was lost while nobody served is found now, and not only after a while.
    await store.queue.supervise()
    const service: ServicePorts = {
      unitOfWork: store.unitOfWork,
      now,
      newId: () => randomUUIDv7(),
      events,
      leaseMs: settings.lease * 1000,
      spreadMs: settings.spread * 1000,
      holdMs: settings.hold * 1000,
      heldPerWorker: settings.heldPerWorker,
      allowedBuilders: settings.builders,
    }
    opening.use(await controlServer({ operator: operatorOf(store), home: home.root }))
    await sweepScratch(home.work)
    const brought = new BroughtBlobs(home.blobs)
    const blobs = await openBlobFolder(home.blobs, brought)
    const webhooks = await openWebhookRoot(home.keys)
    const secret = (ownerId: string): Promise<string> => Promise.resolve(webhookSecret(webhooks, ownerId))
    const front = opening.use(new AsyncDisposableStack())
    const desk = front.use(await JobDesk.open({ notices: store.notices, take: (wanted) => leaseAttempt(service, wanted) }))
    const given = new GivenBytes({ blobBytes: settings.limitOutput, leaseBytes: 2 * settings.limitOutput })
    const workers: WorkerPorts = { ...service, reads: store.reads, blobs, desk, given }
    const gatePorts = {
      ...service,
      reads: store.reads,
      bundles: new HeldBundles(blobs),
      lints: new KnownLints(blobs),
      policies: new Policies(files),
      trustedRoot: gateRoot(settings),
    }
    const gate = new GateDesk(gatePorts)
    front.use(await store.notices.listen('verdicts', { onNotice: () => gate.forget(), onGap: () => gate.forget() }))
    let address = settings.publicUrl
    const targets = await openTargets(settings)
    const inspect = await openObserving(settings, gatePorts)
    // What a draft is asked about takes no place of what KMSs ask about.
    const impacts = new Impacts({
      ...gatePorts,
      bundles: new HeldBundles(blobs),
      running: [askedApps(store.reads), deployedApps(store.reads)],
    })
    const allowlists = new Allowlists(gatePorts)
    const gates = { gate, policies: gatePorts.policies, openGate: new OpenGate(gatePorts), impacts, allowlists, targets }
    const api = front.use(await openApi({ settings, store, workers, events, webhookSecret: secret, watch, ...gates, base: () => address }))
    const listening = await Listening.open({
      ...settings.listen,
      fetch: (request, env) => api.app.fetch(request, env),
      unreadable: () => api.unreadable(),
      requestMs: api.requestMs,
      onError: (error) => events.trouble({ where: 'listening', error }),
    })
    opening.defer(() => listening.close(0))
    const base = settings.publicUrl ?? listening.url
    address = base
    const building = { settings, ports: workers, key: await openWorkerKey(home.keys), events }
    const local = wanted ? await LocalWorker.tryOpen(building) : null
    const jobs = serviceJobs({ settings, home, store, blobs, service, events, signing, secret, base, gate: gatePorts, targets, inspect })
    const house = serviceHouse({ settings, store, blobs, brought, service, events })
    const duties = [
      jobs,
      house,
      (stop: AbortSignal) => gate.keepNotes(stop),
      ...(local === null ? [] : [(stop: AbortSignal) => workLocally(local, building, stop)]),
    ]
    const database = store.database.kind
    events.started({ database, worker: local instanceof LocalWorker ? 'in-process' : 'none' })
    const policies = settings.policies === null ? null : gatePorts.policies
    const facts = await servingFacts({ url: listening.url, home: home.root, database, signing, local, policies, targets })
    return new ServiceRoom({ facts, events, graceMs: settings.grace * 1000, listening, duties, front, held: opening.move() })
  }

  /** Serves until the signal fires; then nothing new is taken, and what is under way has a grace. Rejects where a part ended by itself. */
  async serve(signal: AbortSignal): Promise<void> {
    const { events, graceMs, listening, front } = this.#o
    const stop = new AbortController()
    const duties = this.#o.duties.map((duty) => duty(stop.signal))
    const { promise: stopped, resolve } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) resolve()
    try {
      await Promise.race([stopped, ...duties.map((duty) => duty.then(() => Promise.reject(endedEarly())))])
    } finally {
      events.stopping({ graceSeconds: graceMs / 1000 })
      stop.abort()
      await Promise.allSettled([...duties, listening.close(graceMs), front.disposeAsync()])
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#o.held.disposeAsync()
    this.#o.events.stopped({ clean: true })
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
