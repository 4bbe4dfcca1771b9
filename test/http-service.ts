import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { publicGoodSnapshot } from '../attestations/index.ts'
import type { ServicePorts } from '../src/app/service/accept-verification.ts'
import type { Caller } from '../src/app/service/caller.ts'
import type { ServiceTarget } from '../src/app/service/deploy-targets.ts'
import { deployedApps } from '../src/app/service/deployed-apps.ts'
import { decide, type StoredDecision } from '../src/app/service/end-verification.ts'
import { Allowlists } from '../src/app/service/export-allowlist.ts'
import { askedApps, Impacts } from '../src/app/service/find-impact.ts'
import { Followers } from '../src/app/service/followers.ts'
import { HeldBundles } from '../src/app/service/held-bundles.ts'
import { KnownLints } from '../src/app/service/known-lints.ts'
import { OpenGate, type OpenGatePorts } from '../src/app/service/open-gate.ts'
import { Policies } from '../src/app/service/policies.ts'
import { reportAttempt } from '../src/app/service/report-attempt.ts'
import type { Submission, Worker } from '../src/app/store/records.ts'
import { httpApp } from '../src/http/app.ts'
import type { HttpApp } from '../src/http/http-ports.ts'
import { DEFAULT_LIMITS, type HttpLimits, type HttpPorts } from '../src/http/http-ports.ts'
import { openBlobFolder } from '../src/storage/blob-folder.ts'
import { StoreRoom } from '../src/store-room.ts'
import type { Attempt } from '../verifier/model/attempt.ts'
import type { BlobStore } from '../verifier/model/blob-store.ts'
import { Failure } from '../verifier/model/failure.ts'
import { requireDocumented } from './documented-answers.ts'
import {
  acceptPrepared,
  addOwner,
  addWorker,
  Clock,
  decisionOf,
  digestOf,
  mustLease,
  newId,
  portsOf,
  reportOf,
  submissionOf,
} from './stored.ts'
import { type DatabaseKind, emptyDatabase, onTrouble } from './stores.ts'

/** Nobody waits for a rate in tests that are not about it. */
const ENOUGH = { burst: 1_000_000, perMinute: 1_000_000 }
const LIMITS: HttpLimits = { ...DEFAULT_LIMITS, writesOfAddress: ENOUGH, writesOfOwner: ENOUGH }

export type ServiceOptions = {
  readonly limits?: Partial<HttpLimits>
  readonly uploads?: Partial<HttpPorts['uploads']>
  readonly submissions?: Partial<HttpPorts['submissions']>
  readonly followers?: { readonly beatMs?: number; readonly most?: number }
}

export type Answer = { readonly status: number; readonly headers: Headers; readonly text: string; readonly json: unknown }

/** The API on a database of its own, with tokens that are words: `Bearer alice`. */
export class HttpService implements AsyncDisposable {
  readonly clock = new Clock()
  readonly store: StoreRoom
  readonly blobs: BlobStore
  readonly blobFolder: string
  readonly callers = new Map<string, Caller>()
  /** What operators were told. */
  readonly troubles: unknown[] = []
  readonly answers: Parameters<HttpPorts['onAnswer']>[0][] = []
  readonly followers: Followers
  readonly ports: ServicePorts
  /** Files of the policies, by name. */
  readonly policyFiles = new Map<string, string>()
  readonly gatePorts: OpenGatePorts
  readonly targets = new Map<string, ServiceTarget>()
  readonly #held: AsyncDisposableStack

  private constructor(o: { store: StoreRoom; blobs: BlobStore; blobFolder: string; followers: Followers; held: AsyncDisposableStack }) {
    this.store = o.store
    this.blobs = o.blobs
    this.blobFolder = o.blobFolder
    this.followers = o.followers
    this.ports = portsOf(o.store, this.clock)
    this.gatePorts = {
      now: this.clock.now,
      reads: o.store.reads,
      lints: new KnownLints(o.blobs),
      bundles: new HeldBundles(o.blobs),
      policies: new Policies({
        read: async (name) => (this.policyFiles.has(name) ? Buffer.from(this.policyFiles.get(name) ?? '') : undefined),
        names: async () => [...this.policyFiles.keys()].toSorted(),
      }),
      trustedRoot: async () => publicGoodSnapshot(),
    }
    this.#held = o.held
  }

  static async open({
    followers: { beatMs = 3_600_000, most = 2000 } = {},
    kind = 'pglite',
  }: Pick<ServiceOptions, 'followers'> & { readonly kind?: DatabaseKind } = {}): Promise<HttpService> {
    await using opening = new AsyncDisposableStack()
    const place = opening.use(await emptyDatabase(kind))
    const store = opening.use(await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble }))
    const blobFolder = await mkdtemp(path.join(tmpdir(), 'bitwitness-http-'))
    opening.defer(() => rm(blobFolder, { recursive: true, force: true }))
    const troubles: unknown[] = []
    const followers = opening.use(
      await Followers.open({ reads: store.reads, notices: store.notices, beatMs, most, onTrouble: (error) => troubles.push(error) }),
    )
    return new HttpService({ store, blobs: await openBlobFolder(blobFolder), blobFolder, followers, held: opening.move() })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held.disposeAsync()
  }

  app(options: ServiceOptions = {}): HttpApp {
    return httpApp(this.httpPorts(options))
  }

  httpPorts({ limits, uploads, submissions }: ServiceOptions = {}): HttpPorts {
    return {
      ...this.ports,
      reads: this.store.reads,
      blobs: this.blobs,
      followers: this.followers,
      authenticate: async (header) => {
        const caller = header === null ? undefined : this.callers.get(header)
        if (caller !== undefined) return caller
        throw new Failure({
          code: header === null ? 'credentials-missing' : 'token-invalid',
          message: 'nobody is known by this',
          hint: 'send a token',
        })
      },
      webhookSecret: async (ownerId) => `whsec_${ownerId}`,
      policies: this.gatePorts.policies,
      openGate: new OpenGate(this.gatePorts),
      allowlists: new Allowlists({ ...this.gatePorts, reads: this.store.reads }),
      impacts: new Impacts({ ...this.gatePorts, running: [askedApps(this.store.reads), deployedApps(this.store.reads)] }),
      targets: this.targets,
      deploymentsPerOwner: 100,
      submissions: {
        access: { files: false, localRepositories: false, plainHttp: false, privateHosts: false },
        openPerOwner: 1000,
        idempotencyHours: 24,
        ...submissions,
      },
      uploads: { bytes: 1 << 20, bytesPerDay: 1 << 30, bytesHeld: 1 << 30, countPerDay: 100_000, atOnce: 100, hours: 24, ...uploads },
      limits: { ...LIMITS, ...limits },
      errorsPage: async () => '| code | what it says | what to do |\n|---|---|---|\n| `internal` | it says \\| so | do it |\n',
      version: '0.0.0-test',
      onTrouble: (trouble) => this.troubles.push(trouble),
      onAnswer: (answer) => this.answers.push(answer),
    }
  }

  /** Adds somebody whose token is their name. */
  async caller(name: string, change: Partial<Omit<Caller, 'owner'>> = {}): Promise<Caller> {
    const owner = await addOwner(this.store, name, this.clock.now())
    const caller: Caller = { owner, scopes: ['submit', 'cancel'], repositories: null, trusted: true, ...change }
    this.callers.set(`Bearer ${name}`, caller)
    return caller
  }

  async worker(name: string, change: Partial<Worker> = {}): Promise<Worker> {
    return await addWorker(this.store, name, this.clock.now(), change)
  }

  async put(text: string) {
    return await this.blobs.put(
      (async function* () {
        yield new TextEncoder().encode(text)
      })(),
    )
  }

  /** A verification whose attempts are open. */
  async prepared(ownerId: string, change: Partial<Submission> = {}): Promise<string> {
    this.#made += 1
    const source = {
      kind: 'git',
      url: 'https://git.example/app.git',
      commit: this.#made.toString(16).padStart(40, '0'),
      path: '.',
    } as const
    return await acceptPrepared(this.ports, submissionOf(ownerId, { source, ...change }))
  }

  /** Runs the attempts that are open one after another, whosever they are. */
  async commit(worker: Worker, report: Partial<Attempt> = {}): Promise<string> {
    const { attempt, lease } = await mustLease(this.ports, worker)
    const of = { ...reportOf(attempt.number, 'built'), ...report }
    const digest = digestOf(JSON.stringify([attempt.id, of]))
    await reportAttempt(this.ports, { attemptId: attempt.id, lease, worker: worker.id, report: of, digest })
    return attempt.id
  }

  async decide(id: string, decision: Partial<StoredDecision> = {}): Promise<void> {
    await decide(this.ports, id, decisionOf({ statements: [], ...decision }))
    this.clock.pass(1)
  }

  #made = 0
}

/** Sends a request to an app without a server, and reads the whole answer. Fails for an answer that /openapi.json does not tell of. */
export async function ask(app: HttpApp, target: string, init: RequestInit & { readonly token?: string } = {}): Promise<Answer> {
  const { token, ...rest } = init
  const headers = new Headers(rest.headers)
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
  const response = await app.request(target, { ...rest, headers })
  const text = await response.text()
  const type = response.headers.get('content-type') ?? ''
  const json = /^application\/(problem\+)?json$/.test(type) && text !== '' ? (JSON.parse(text) as { readonly code?: unknown }) : undefined
  const code = json !== undefined && type === 'application/problem+json' ? String(json.code) : undefined
  requireDocumented(app, { method: rest.method ?? 'GET', target, status: response.status, code })
  return { status: response.status, headers: response.headers, text, json }
}

export { newId }
