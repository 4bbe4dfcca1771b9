import { generateKeyPairSync } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { acceptVerification, type ServicePorts } from '../src/app/service/accept-verification.ts'
import { SCOPES } from '../src/app/service/caller.ts'
import type { Coordinator } from '../src/app/service/coordinator.ts'
import { GivenBytes } from '../src/app/service/given-bytes.ts'
import { HeldBundles } from '../src/app/service/held-bundles.ts'
import { JobDesk } from '../src/app/service/job-desk.ts'
import { KnownLints } from '../src/app/service/known-lints.ts'
import { leaseAttempt } from '../src/app/service/lease-attempt.ts'
import { LocalCoordinator } from '../src/app/service/local-coordinator.ts'
import { Policies } from '../src/app/service/policies.ts'
import { tellAll } from '../src/app/service/service-events.ts'
import { tokenDigest, tokenSecret } from '../src/app/service/token-secret.ts'
import type { Reads } from '../src/app/store/store-ports.ts'
import { readCiIdentity } from '../src/config/ci-identity.ts'
import { openHome } from '../src/config/home.ts'
import { readSettings } from '../src/config/settings.ts'
import { gateRoot } from '../src/gate-root.ts'
import { serviceJobs } from '../src/service-jobs.ts'
import { SigningRoom } from '../src/signing-room.ts'
import { openBlobFolder } from '../src/storage/blob-folder.ts'
import { PolicyFolder } from '../src/storage/policy-folder.ts'
import { StoreRoom } from '../src/store-room.ts'
import { HttpCoordinator } from '../src/worker/http-coordinator.ts'
import { runWorker } from '../src/worker/worker.ts'
import { WorkerKey } from '../src/worker-auth/worker-key.ts'
import { standInBuilder } from '../test/stand-in-builder.ts'
import { addOwner, addWorker, commandOf, digestOf, newId, submissionOf } from '../test/stored.ts'
import { oneChunk } from '../verifier/bytes/one-chunk.ts'
import { tar } from '../verifier/source/testing/tar.ts'
import { LoopbackClient } from './loopback-client.ts'
import { ServiceProcess } from './service-process.ts'
import { startBenchServer } from './service-store.ts'
import { percentile } from './spread.ts'

/**
 * How long it takes from a submission until a worker that had nothing to do begins to build it: the source is pinned, its recipe read, the
 * attempt queued, claimed and its source fetched meanwhile. Within one process on the embedded database; and over HTTP on PostgreSQL, with
 * the compiled server in a process of its own. Only the builder is a stand-in. One submission after the other. Aim: p95 under 250 ms.
 * node bench/service-latency.ts [--submissions 200] [--workers 2]   after `npm run build`
 */
const { values } = parseArgs({ options: { submissions: { type: 'string', default: '200' }, workers: { type: 'string', default: '2' } } })

const RECIPE = '[Distribution]\nDistribution=debian\nRelease=trixie\n\n[Output]\nFormat=tar\n'
const archive = (number: number): Buffer => tar({ path: 'mkosi.conf', body: RECIPE }, { path: 'number', body: String(number) })
const claim = { kind: 'file', name: null, sha256: digestOf('claimed'), location: null } as const

/** Resolves when the build of a verification begins; builds may begin before anybody asks. */
class Beginnings {
  readonly #known = new Map<string, PromiseWithResolvers<number>>()

  of(verification: string): PromiseWithResolvers<number> {
    const known = this.#known.get(verification) ?? Promise.withResolvers<number>()
    this.#known.set(verification, known)
    return known
  }
}

const machine = `${os.availableParallelism()} processors, load ${os.loadavg()[0]?.toFixed(1)}, node ${process.version}`
console.log(`from submission to the begin of its build; ${machine}; ${values.submissions} submissions, one after the other; ms`)
await inProcess()
await overHttp()

async function inProcess(): Promise<void> {
  await using held = new AsyncDisposableStack()
  const folder = await scratch(held)
  const settings = readSettings({ BITWITNESS_HOME: path.join(folder, 'home'), BITWITNESS_LOG_LEVEL: 'warn' })
  const home = await openHome(settings.home)
  const onTrouble = (error: Error): void => console.error(error)
  const store = held.use(await StoreRoom.open({ url: null, folder: home.db, superviseSeconds: 10, onTrouble }))
  const blobs = await openBlobFolder(home.blobs)
  const events = tellAll({ trouble: ({ error }) => console.error(error) })
  const service: ServicePorts = { unitOfWork: store.unitOfWork, now: () => new Date(), newId, events }
  const desk = held.use(await JobDesk.open({ notices: store.notices, take: (wanted) => leaseAttempt(service, wanted) }))
  const given = new GivenBytes({ blobBytes: 2 ** 30, leaseBytes: 2 ** 31 })
  const signing = new SigningRoom({ settings, ci: readCiIdentity({}), key: null })
  const secret = (): Promise<string> => Promise.reject(new Error('nobody is called back'))
  const gate = {
    lints: new KnownLints(blobs),
    bundles: new HeldBundles(blobs),
    policies: new Policies(await PolicyFolder.open(settings.policies)),
    trustedRoot: gateRoot(settings),
  }
  const base = new URL('http://127.0.0.1/')
  const inspect = (): Promise<never> => Promise.reject(new Error('nothing is deployed'))
  const jobs = serviceJobs({ settings, home, store, blobs, service, events, signing, secret, base, gate, targets: new Map(), inspect })
  const stop = new AbortController()
  const worker = await addWorker(store, 'inside', new Date(), { place: 'in-process' })
  const coordinator = new LocalCoordinator({ ...service, reads: store.reads, blobs, desk, given }, worker)
  const beginnings = new Beginnings()
  const running = [jobs(stop.signal), work({ coordinator, folder: path.join(folder, 'worker'), blobs, beginnings, signal: stop.signal })]
  const owner = await addOwner(store, 'owner', new Date())
  await measure('in one process, PGlite', { reads: store.reads, beginnings }, async (number) => {
    const body = archive(number)
    const upload = await blobs.put(oneChunk(body))
    await store.unitOfWork.run(({ uploads }) => uploads.add({ ownerId: owner.id, ...upload, createdAt: new Date() }))
    const source = { kind: 'archive', name: 'app.tar', path: '.' } as const
    const submission = submissionOf(owner.id, { source, upload: upload.sha256, claims: [claim], attempts: 1 })
    const since = performance.now()
    const { verificationId } = await acceptVerification(service, commandOf(submission))
    return { verification: verificationId, since }
  })
  stop.abort()
  await Promise.all(running)
}

async function overHttp(): Promise<void> {
  await using held = new AsyncDisposableStack()
  const folder = await scratch(held)
  const server = held.use(await startBenchServer())
  const { url, room } = await server.store('latency')
  const environment = { BITWITNESS_WRITES_PER_MINUTE: '100000' }
  const serving = held.use(await ServiceProcess.start({ database: url, home: path.join(folder, 'home'), environment }))
  const stop = new AbortController()
  const beginnings = new Beginnings()
  const running: Promise<void>[] = []
  for (let number = 0; number < Number(values.workers); number += 1) {
    const key = new WorkerKey(generateKeyPairSync('ed25519').privateKey)
    await addWorker(room, `outside ${number}`, new Date(), { publicKey: key.publicKey, capabilities: null })
    const coordinator = new HttpCoordinator({ origin: new URL(`http://127.0.0.1:${serving.port}/`), key, version: '0.0.0' })
    const own = path.join(folder, `worker-${number}`)
    running.push(work({ coordinator, folder: own, blobs: null, beginnings, signal: stop.signal }))
  }
  const owner = await addOwner(room, 'owner', new Date())
  const secret = tokenSecret(Buffer.from(digestOf('token'), 'hex'))
  const token = { id: newId(), ownerId: owner.id, name: 't', scopes: SCOPES, createdAt: new Date(), revokedAt: null, lastUsedAt: null }
  const expiresAt = new Date(Date.now() + 86_400_000)
  await room.unitOfWork.run(({ tokens }) => tokens.insert({ ...token, expiresAt }, tokenDigest(secret) ?? digestOf('')))
  const client = held.use(new LoopbackClient(serving.port, 1))
  const headers = { authorization: `Bearer ${secret}` }
  await measure(`HTTP, PostgreSQL, ${values.workers} workers`, { reads: room.reads, beginnings }, async (number) => {
    const asBytes = { ...headers, 'content-type': 'application/octet-stream' }
    const uploaded = await client.expect(201, { method: 'POST', target: '/v1/uploads', headers: asBytes, body: archive(number) })
    const { sha256 } = JSON.parse(uploaded.toString()) as { readonly sha256: string }
    const body = JSON.stringify({ source: { kind: 'archive', sha256, name: 'app.tar' }, claims: [claim], attempts: 1 })
    const since = performance.now()
    const asJson = { ...headers, 'content-type': 'application/json' }
    const answer = await client.expect(202, { method: 'POST', target: '/v1/verifications', headers: asJson, body })
    const { verification } = JSON.parse(answer.toString()) as { readonly verification: { readonly id: string } }
    return { verification: verification.id, since }
  })
  stop.abort()
  await Promise.all(running)
}

type Submit = (number: number) => Promise<{ readonly verification: string; readonly since: number }>

async function measure(name: string, { reads, beginnings }: { reads: Reads; beginnings: Beginnings }, submit: Submit): Promise<void> {
  const times: number[] = []
  const count = Number(values.submissions)
  for (let number = -10; number < count; number += 1) {
    const { verification, since } = await submit(number)
    const at = await beginnings.of(verification).promise
    if (number >= 0) times.push(at - since)
    // Its report, verdict and signatures are not to be in the way of the next.
    await over(reads, verification)
  }
  const figures = [0, 0.5, 0.95, 0.99].map((part) => percentile(times, part).toFixed(1).padStart(8)).join('')
  console.log(`${name.padEnd(34)} least, median, p95, p99 ${figures}`)
}

async function over({ verifications, attestations }: Reads, id: string): Promise<void> {
  while ((await verifications.read(id))?.state !== 'finished' || (await attestations.waiting([id])).length > 0) await sleep(20)
}

async function work(o: {
  readonly coordinator: Coordinator
  readonly folder: string
  /** The coordinator's own, for a worker inside of it. */
  readonly blobs: Awaited<ReturnType<typeof openBlobFolder>> | null
  readonly beginnings: Beginnings
  readonly signal: AbortSignal
}): Promise<void> {
  const workFolder = path.join(o.folder, 'work')
  await mkdir(workFolder, { recursive: true, mode: 0o700 })
  const blobs = o.blobs ?? (await openBlobFolder(path.join(o.folder, 'blobs')))
  const onBegin = ({ attempt }: { attempt: { verificationId: string } }): void =>
    o.beginnings.of(attempt.verificationId).resolve(performance.now())
  await runWorker({
    coordinator: o.coordinator,
    blobs,
    runJob: standInBuilder({ blobs, work: workFolder, onBegin }),
    capabilities: async () => ({ architecture: 'amd64', builders: [], isolation: 'shared-kernel' }),
    slots: 1,
    obstacle: async () => null,
    version: '0.0.0',
    tell: (news) => {
      if (news.kind === 'holding' || news.kind === 'dropped') console.error(news)
    },
    signal: o.signal,
  })
}

async function scratch(held: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'bitwitness-bench-'))
  held.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
  return folder
}
