import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { authenticator } from './app/service/authenticate.ts'
import { Followers } from './app/service/followers.ts'
import type { GateDesk } from './app/service/gate-desk.ts'
import { inRequest } from './app/service/request-scope.ts'
import type { ServiceEvents } from './app/service/service-events.ts'
import type { WorkerPorts } from './app/service/worker-ports.ts'
import { findPackage } from './config/package-root.ts'
import type { Settings } from './config/settings.ts'
import { sourceAccess } from './config/source-access.ts'
import { httpApp } from './http/app.ts'
import { dstackRoutes } from './http/dstack-routes.ts'
import { DEFAULT_LIMITS, type HttpApp, type HttpPorts, writeRates } from './http/http-ports.ts'
import { type ProbePorts, probes } from './http/resources/probes.ts'
import { answerUnreadable } from './http/unreadable-request.ts'
import { workerRoutes } from './http/worker-routes.ts'
import { openIdentities } from './identity-room.ts'
import type { StoreRoom } from './store-room.ts'
import { NonceMemory } from './worker-auth/nonce-memory.ts'

export type ApiOptions = {
  readonly settings: Settings
  readonly store: StoreRoom
  readonly workers: WorkerPorts
  readonly events: ServiceEvents
  readonly webhookSecret: HttpPorts['webhookSecret']
  readonly watch: ProbePorts
  readonly gate: GateDesk
  readonly policies: HttpPorts['policies']
  readonly openGate: HttpPorts['openGate']
  readonly impacts: HttpPorts['impacts']
  readonly targets: HttpPorts['targets']
  readonly allowlists: HttpPorts['allowlists']
  /** Where others reach the service; null: it is not known yet. */
  readonly base: () => URL | null
}

export type Api = AsyncDisposable & { readonly app: HttpApp; readonly unreadable: () => Promise<Response>; readonly requestMs: number }

/** Followers of one process; each costs a connection and little else. */
const MOST_FOLLOWERS = 5000
/** Proxies cut off what is silent for a minute, and clients go by it. */
const BEAT_MS = 15_000
const IDEMPOTENCY_HOURS = 24
const UPLOADS_AT_ONCE = 8

/** The API and whoever follows by it. Disposing of it ends what is followed, without an end: clients come back. Failures: `issuers-…`. */
export async function openApi(o: ApiOptions): Promise<Api> {
  const { settings, store, workers, events, webhookSecret, watch, gate, policies, openGate, impacts, allowlists, targets, base } = o
  const { reads, notices } = store
  const { desk: _desk, given: _given, blobs, ...service } = workers
  const { issuers, publicUrl, sources } = settings
  const onRefused = (why: string): void => events.identityRefused({ why })
  const identify = await openIdentities({ issuers, publicUrl, now: service.now, onRefused })
  const followers = await Followers.open({
    reads,
    notices,
    beatMs: BEAT_MS,
    most: MOST_FOLLOWERS,
    onTrouble: (error) => events.trouble({ where: 'followers', error }),
  })
  const { root, version } = findPackage()
  const limits = { ...DEFAULT_LIMITS, ...writeRates(settings.writesPerMinute), proxies: settings.trustedProxies }
  const onTrouble: HttpPorts['onTrouble'] = ({ requestId, error }) => inRequest(requestId, () => events.requestFailed({ error }))
  const nonces = new NonceMemory({ since: Math.floor(service.now().getTime() / 1000) })
  const app = httpApp(
    {
      ...service,
      reads,
      blobs,
      authenticate: authenticator({ ...service, reads, identify }),
      followers,
      webhookSecret,
      policies,
      openGate,
      impacts,
      targets,
      deploymentsPerOwner: settings.deploymentsPerOwner,
      allowlists,
      submissions: {
        access: { ...sourceAccess(sources), files: false },
        openPerOwner: settings.openPerOwner,
        idempotencyHours: IDEMPOTENCY_HOURS,
      },
      uploads: {
        bytes: settings.uploadSize,
        bytesPerDay: settings.uploadBytesPerDay,
        bytesHeld: settings.uploadBytesHeld,
        countPerDay: settings.uploadsPerDay,
        atOnce: UPLOADS_AT_ONCE,
        hours: settings.keepUploads,
      },
      limits,
      errorsPage: () => readFile(path.join(root, 'docs', 'errors.md'), 'utf8'),
      version,
      onTrouble,
      onAnswer: ({ requestId, ...answer }) => inRequest(requestId, () => events.requestAnswered(answer)),
    },
    probes(watch),
    dstackRoutes({ desk: gate, limits, base }),
    workerRoutes({ ...workers, limits, onTrouble, nonces }),
  )
  return {
    app,
    unreadable: () => answerUnreadable(app),
    requestMs: limits.uploadMs + limits.jsonMs,
    [Symbol.asyncDispose]: () => followers[Symbol.asyncDispose](),
  }
}
