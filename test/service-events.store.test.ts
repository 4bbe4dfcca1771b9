import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MAX_TRIES } from '../src/app/lifecycle/attempt-state.ts'
import { acceptVerification, type ServicePorts } from '../src/app/service/accept-verification.ts'
import { cancelVerification, decide } from '../src/app/service/end-verification.ts'
import { giveUpAttempts } from '../src/app/service/give-up-attempts.ts'
import { LocalCoordinator } from '../src/app/service/local-coordinator.ts'
import { markPrepared } from '../src/app/service/prepare-verification.ts'
import { reportDocument } from '../src/app/service/report-document.ts'
import { SERVICE_EVENTS, type ServiceEvents } from '../src/app/service/service-events.ts'
import type { Owner, WorkerCapabilities } from '../src/app/store/records.ts'
import { StoreRoom } from '../src/store-room.ts'
import { handOver } from '../src/worker/hand-over.ts'
import { hurry, loseWorkers } from './queued.ts'
import { standInBuilder } from './stand-in-builder.ts'
import { addOwner, addWorker, Clock, commandOf, decisionOf, leaseAny, portsOf, preparedOf, submissionOf } from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'
import { WorkerRoom } from './worker-room.ts'

describe.each(databases())('what the service tells of, on %s', (kind) => {
  const clock = new Clock()
  let place: EmptyDatabase
  let store: StoreRoom
  let owner: Owner
  let told: [string, unknown][]
  let ports: ServicePorts

  beforeAll(async () => {
    place = await emptyDatabase(kind)
    store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    owner = await addOwner(store, 'alice', clock.now())
    const events = Object.fromEntries(SERVICE_EVENTS.map((event) => [event, (facts: unknown) => told.push([event, facts])]))
    ports = { ...portsOf(store, clock), events: events as unknown as ServiceEvents }
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  let made = 0
  const accept = async (): Promise<string> => {
    made += 1
    told = []
    const source = { kind: 'git', url: `https://git.example/${made}`, commit: 'c'.repeat(40), path: '.' } as const
    const command = commandOf(submissionOf(owner.id, { source, attempts: 1 }))
    const { verificationId } = await acceptVerification(ports, command)
    expect((await acceptVerification(ports, command)).verificationId).toBe(verificationId)
    const accepted = { verification: verificationId, owner: owner.id, trusted: true }
    expect(told.splice(0)).toEqual([
      ['submissionAccepted', { ...accepted, joined: false }],
      ['submissionAccepted', { ...accepted, joined: true }],
    ])
    return verificationId
  }

  it('is a submission that was prepared, once', async () => {
    const id = await accept()
    for (const _ of [1, 2]) await markPrepared(ports, id, preparedOf(submissionOf(owner.id)))
    expect(told).toEqual([['submissionPrepared', { verification: id, architecture: 'amd64', locked: false }]])
    await cancelVerification(ports, id)
  })

  it('is a verification that was cancelled, once', async () => {
    const id = await accept()
    for (const _ of [1, 2]) await cancelVerification(ports, id)
    expect(told).toEqual([['verificationCancelled', { verification: id, owner: owner.id }]])
  })

  it('is a verdict, once, and how long it took', async () => {
    const id = await accept()
    clock.pass(1500)
    const decision = decisionOf({ verdict: 'undecided', tier: null, artifacts: [], statements: [] })
    for (const _ of [1, 2]) await decide(ports, id, decision)
    expect(told).toEqual([['verdictGiven', { verification: id, verdict: 'undecided', tier: null, seconds: 1.5 }]])
  })

  it('is each lease, each that was lost, and that no more are tried', async () => {
    const id = await accept()
    await markPrepared(ports, id, preparedOf(submissionOf(owner.id)))
    const worker = await addWorker(store, 'one', clock.now())
    told = []
    clock.pass(250)
    const lease = { verification: id, attempt: expect.any(String), number: 1, mode: 'live', worker: worker.id }
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      expect((await leaseAny(ports, worker))?.attempt.life.tries).toBe(tries)
      await loseWorkers(store)
      await hurry(store)
      const lost = tries === 1 ? [] : [['leaseLost', { ...lease, givenUp: false }]]
      expect(told.splice(0)).toEqual([...lost, ['attemptLeased', { ...lease, waitedSeconds: tries === 1 ? 0.25 : null }]])
    }
    expect(await giveUpAttempts(ports)).toBe(1)
    expect(told).toEqual([['leaseLost', { ...lease, givenUp: true }]])
  })

  it('is what a worker reported, once, and what was not taken of it', async () => {
    told = []
    await using room = await WorkerRoom.open(kind, { now: clock.now, events: ports.events ?? {} })
    const [worker, other] = [await addWorker(room.store, 'one', clock.now()), await addWorker(room.store, 'other', clock.now())]
    const [coordinator, stranger] = [worker, other].map((one) => new LocalCoordinator(room.ports, one))
    if (coordinator === undefined || stranger === undefined) throw new Error('two were made')
    await room.submit()
    const capabilities: WorkerCapabilities = { architecture: 'amd64', builders: [], isolation: 'shared-kernel' }
    const signal = new AbortController().signal
    const job = await coordinator.claim({ schema: 'bitwitness/worker-claim/v1', capabilities, waitSeconds: 0 }, signal)
    if (job === undefined) throw new Error('nothing to do')
    const run = await standInBuilder({ blobs: room.blobs, work: await room.makeFolder('work') })(job, {
      coordinator,
      emit: () => {},
      signal,
    })
    await handOver({ coordinator, blobs: room.blobs, job, run, signal })
    const document = reportDocument(job, run, '0.0.0')
    expect(told.splice(0).map(([event]) => event)).toEqual(['submissionAccepted', 'submissionPrepared', 'workerSeen', 'attemptLeased'])
    const { id: attempt } = job.attempt
    await expect(stranger.report(attempt, document)).rejects.toMatchObject({ code: 'lease-not-yours' })
    for (const _ of [1, 2]) await coordinator.report(attempt, document)
    await run[Symbol.asyncDispose]()
    const { stages, outcome } = run.attempt
    const ended = { verification: job.attempt.verificationId, attempt, number: 1, mode: 'live', worker: worker.id }
    expect(told).toEqual([
      ['reportRefused', { attempt, worker: other.id, error: expect.objectContaining({ code: 'lease-not-yours' }) }],
      ['attemptEnded', { ...ended, outcome, state: 'committed', stages }],
    ])
  })

  it('is nothing where the transaction failed', async () => {
    told = []
    const stop = new Error('stop')
    const failing: ServicePorts = { ...ports, unitOfWork: { run: () => Promise.reject(stop) } }
    await expect(acceptVerification(failing, commandOf(submissionOf(owner.id)))).rejects.toBe(stop)
    expect(told).toEqual([])
  })
})
