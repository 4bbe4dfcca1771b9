import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MAX_TRIES } from '../src/app/lifecycle/attempt-state.ts'
import { acceptVerification, type ServicePorts } from '../src/app/service/accept-verification.ts'
import { cancelVerification, decide } from '../src/app/service/end-verification.ts'
import { giveUpAttempts } from '../src/app/service/give-up-attempts.ts'
import { keepLease, LEASE_MS, LEFT_TO_OTHERS, type LeasedAttempt, leaseAttempt } from '../src/app/service/lease-attempt.ts'
import { markPrepared } from '../src/app/service/prepare-verification.ts'
import { reportAttempt } from '../src/app/service/report-attempt.ts'
import { ATTEMPT_ROUTES, type AttemptRoute, type Owner, type Worker } from '../src/app/store/records.ts'
import { StoreRoom } from '../src/store-room.ts'
import type { Outcome } from '../verifier/model/attempt.ts'
import { hurry, takeAll } from './queued.ts'
import {
  acceptPrepared,
  addOwner,
  addWorker,
  Clock,
  commandOf,
  decisionOf,
  digestOf,
  leaseAny,
  mustLease,
  newId,
  portsOf,
  preparedOf,
  reportOf,
  submissionOf,
} from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

describe.each(databases())('a verification on %s', (kind) => {
  const clock = new Clock()
  let place: EmptyDatabase
  let store: StoreRoom
  let ports: ServicePorts
  let owner: Owner
  let worker: Worker
  let other: Worker

  beforeAll(async () => {
    place = await emptyDatabase(kind)
    store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    ports = portsOf(store, clock)
    owner = await addOwner(store, 'alice', clock.now())
    worker = await addWorker(store, 'one', clock.now())
    other = await addWorker(store, 'two', clock.now())
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  let made = 0
  const accept = async (change: Parameters<typeof submissionOf>[1] = {}): Promise<string> => {
    made += 1
    const source = { kind: 'git', url: `https://git.example/${made}`, commit: 'b'.repeat(40), path: '.' } as const
    return await acceptPrepared(ports, submissionOf(owner.id, { source, ...change }))
  }
  const lease = (by = worker): Promise<LeasedAttempt> => mustLease(ports, by)
  const report = (leased: LeasedAttempt, outcome: Outcome, by = worker, text = `${leased.attempt.id} ${outcome}`) =>
    reportAttempt(ports, {
      attemptId: leased.attempt.id,
      lease: leased.lease,
      worker: by.id,
      report: reportOf(leased.attempt.number, outcome),
      digest: digestOf(text),
    })
  const read = async (id: string) => {
    const found = await store.reads.verifications.read(id)
    if (found === undefined) throw new Error('gone')
    return found
  }

  it('goes from its acceptance through its attempts to one verdict, and its claims show only then', async () => {
    const submission = submissionOf(owner.id)
    const { verificationId: id } = await acceptVerification(ports, commandOf(submission))
    expect(await read(id)).toMatchObject({ state: 'accepted', claims: null, verdict: null, pinned: null })
    expect(await store.reads.verifications.recipe(id)).toBeNull()
    expect(await store.reads.verifications.recipe(newId())).toBeUndefined()
    expect(await takeAll(store, 'preparation')).toEqual([{ verificationId: id }])
    expect(await store.reads.attempts.of(id)).toEqual([])
    expect(await leaseAny(ports, other)).toBeUndefined()
    await expect(decide(ports, id, decisionOf())).rejects.toMatchObject({ code: 'attempts-open' })
    const prepared = preparedOf(submission)
    await markPrepared(ports, id, prepared)
    const { pinned, sourceTar, reading, architecture } = prepared
    expect(await read(id)).toMatchObject({ state: 'running', claims: null, pinned, sourceTar, architecture })
    expect(await store.reads.verifications.recipe(id)).toEqual(reading)
    const first = await lease()
    expect(first).toMatchObject({
      attempt: { number: 1, mode: 'live', route: 'amd64-trusted', verificationId: id },
      submission: { attempts: 2 },
      prepared,
    })
    expect(JSON.stringify(first)).not.toContain(digestOf('claimed'))
    expect(await read(id)).toMatchObject({ state: 'running', claims: null })
    expect(await leaseAny(ports, other)).toBeUndefined()
    expect((await report(first, 'built')).life).toMatchObject({ state: 'committed', outcome: 'built' })
    await expect(store.reads.verifications.claims(id)).rejects.toMatchObject({ code: 'claims-hidden' })
    await expect(decide(ports, id, decisionOf())).rejects.toMatchObject({ code: 'attempts-open' })
    expect(await store.reads.verifications.known(digestOf('claimed'), { cursor: null, limit: 5 })).toEqual({ items: [], next: null })
    const second = await lease(other)
    expect(second).toMatchObject({ attempt: { number: 2, mode: 'replay' } })
    expect(await takeAll(store, 'decision')).toEqual([])
    await report(second, 'built', other)
    expect(await takeAll(store, 'decision')).toEqual([{ verificationId: id }])
    expect(await read(id)).toMatchObject({ state: 'running', claims: [{ sha256: digestOf('claimed') }] })
    await decide(ports, id, decisionOf())
    await decide(ports, id, decisionOf())
    await expect(decide(ports, id, decisionOf({ verdict: 'mismatch', tier: null }))).rejects.toMatchObject({ code: 'verification-over' })
    expect(await read(id)).toMatchObject({ state: 'finished', verdict: 'reproduced', tier: 'bit-exact', report: digestOf('report') })
    const known = await store.reads.verifications.known(digestOf('built'), { cursor: null, limit: 5 })
    expect(known.items.map(({ verification, subjects }) => [verification.id, subjects])).toEqual([
      [id, [{ sha256: digestOf('built'), kind: 'artifact', name: 'image.tar' }]],
    ])
    expect(await leaseAny(ports, worker)).toBeUndefined()
    expect(await store.unitOfWork.run(({ jobs }) => jobs.take('signing'))).toMatchObject({
      tries: 1,
      data: { verificationId: id, predicateType: 'https://example.org/reproduced/v1' },
    })
  })

  it('is prepared once: what comes later, or too late, changes nothing', async () => {
    const submission = submissionOf(owner.id, { attempts: 1 })
    const id = await acceptPrepared(ports, submission)
    const before = [await read(id), await store.reads.attempts.of(id)]
    const other = preparedOf(submission, { sourceTar: digestOf('other source'), architecture: 'arm64' })
    await markPrepared(ports, id, other)
    expect([await read(id), await store.reads.attempts.of(id)]).toEqual(before)
    await report(await lease(), 'built')
    expect(await leaseAny(ports, worker)).toBeUndefined()
    await decide(ports, id, decisionOf({ statements: [] }))
    const finished = await read(id)
    await markPrepared(ports, id, other)
    expect(await read(id)).toEqual(finished)
    const { verificationId: cancelled } = await acceptVerification(ports, commandOf(submission))
    await cancelVerification(ports, cancelled)
    await expect(markPrepared(ports, cancelled, other)).rejects.toMatchObject({ code: 'verification-over' })
    await expect(markPrepared(ports, 'made up', other)).rejects.toMatchObject({ code: 'verification-unknown' })
    expect([await read(cancelled), await store.reads.attempts.of(cancelled)]).toEqual([
      expect.objectContaining({ state: 'cancelled', pinned: null, sourceTar: null }),
      [],
    ])
  })

  it('ends without an attempt where nothing can be built, and then is found by what was claimed', async () => {
    const sha256 = digestOf('claimed of what was never built')
    const submission = submissionOf(owner.id, { claims: [{ kind: 'file', name: 'image.raw', sha256, location: null }] })
    const nothing = { tier: null, builder: null, artifacts: [], statements: [] }
    const reasons = [{ code: 'source-unreachable', message: 'the repository does not answer' }]
    const { verificationId: unpinned } = await acceptVerification(ports, commandOf(submission))
    await decide(ports, unpinned, decisionOf({ ...nothing, verdict: 'undecided', reasons, report: null, blobs: [] }))
    const end = { state: 'finished', pinned: null, claims: submission.claims }
    expect(await read(unpinned)).toMatchObject({ ...end, verdict: 'undecided', reasons, report: null })
    const { verificationId: refused } = await acceptVerification(ports, commandOf(submission))
    await decide(ports, refused, decisionOf({ ...nothing, verdict: 'refused' }))
    expect(await read(refused)).toMatchObject({ ...end, verdict: 'refused', report: digestOf('report') })
    // Both are of the same owner, source and claims.
    expect((await store.reads.verifications.known(sha256, { cursor: null, limit: 5 })).items).toMatchObject([
      { verification: { id: refused }, count: 2, subjects: [{ sha256, kind: 'claim', name: 'image.raw' }] },
    ])
    // Whatever says something about an image has a report.
    const { verificationId: open } = await acceptVerification(ports, commandOf(submission))
    await expect(decide(ports, open, decisionOf({ ...nothing, verdict: 'refused', report: null, blobs: [] }))).rejects.toMatchObject({
      code: 'database-failed',
      data: { constraint: 'verifications_report_of_finished' },
    })
    await cancelVerification(ports, open)
  })

  it('tells its callback URL once, and only where there is one', async () => {
    const told = await accept({ attempts: 1, callbackUrl: 'https://ci.example/told' })
    const untold = await accept({ attempts: 1 })
    for (const id of [told, untold]) {
      await report(await lease(), 'built')
      await decide(ports, id, decisionOf({ statements: [] }))
      await decide(ports, id, decisionOf({ statements: [] }))
    }
    expect(await takeAll(store, 'callback')).toEqual([{ verificationId: told }])
  })

  it('is built on the route of its architecture and its owner’s standing', async () => {
    const amd64 = submissionOf(owner.id, { attempts: 1, trusted: false })
    const id = await acceptPrepared(ports, amd64)
    const arm64 = await acceptPrepared(ports, submissionOf(owner.id, { attempts: 3, lock: digestOf('lock') }), { architecture: 'arm64' })
    const on = async (...routes: AttemptRoute[]) => {
      const leased = await leaseAttempt(ports, { workerId: worker.id, routes })
      return leased === LEFT_TO_OTHERS ? undefined : leased
    }
    expect(await on('amd64-trusted', 'arm64-stranger')).toBeUndefined()
    expect((await on('amd64-trusted', 'amd64-stranger'))?.attempt).toMatchObject({ verificationId: id, route: 'amd64-stranger' })
    // With a publisher's lock all of them are replays and open at once.
    for (const number of [1, 2, 3])
      expect((await on('arm64-trusted'))?.attempt).toMatchObject({ verificationId: arm64, number, mode: 'replay', route: 'arm64-trusted' })
    expect(await on(...ATTEMPT_ROUTES)).toBeUndefined()
    for (const one of [id, arm64]) await cancelVerification(ports, one)
    const other = await acceptVerification(ports, commandOf(submissionOf(owner.id)))
    await expect(markPrepared(ports, other.verificationId, preparedOf(amd64, { architecture: 'riscv64' }))).rejects.toBeInstanceOf(
      TypeError,
    )
    expect(await read(other.verificationId)).toMatchObject({ state: 'accepted', pinned: null })
    await cancelVerification(ports, other.verificationId)
  })

  it('does not wait behind all that another owner has open', async () => {
    const [many, few] = [await addOwner(store, 'many', clock.now()), await addOwner(store, 'few', clock.now())]
    const source = (number: number) =>
      ({ kind: 'git', url: `https://git.example/fair/${number}`, commit: 'b'.repeat(40), path: '.' }) as const
    const first: string[] = []
    for (let number = 1; number <= 5; number += 1)
      first.push(await acceptPrepared(ports, submissionOf(many.id, { source: source(number), attempts: 1 })))
    const late = await acceptPrepared(ports, submissionOf(few.id, { source: source(6), attempts: 1 }))
    const order: string[] = []
    for (let number = 0; number < 6; number += 1) order.push((await lease()).attempt.verificationId)
    expect(order.indexOf(late)).toBeLessThanOrEqual(1)
    // Its own order each keeps.
    expect(order.filter((id) => id !== late)).toEqual(first)
    for (const id of [...first, late]) await cancelVerification(ports, id)
  })

  it('takes a report from the worker that holds the lease, once, and from nobody else', async () => {
    const id = await accept({ attempts: 1 })
    const leased = await lease()
    await expect(report(leased, 'built', other)).rejects.toMatchObject({ code: 'lease-not-yours' })
    await expect(report({ ...leased, lease: 'made up' }, 'built')).rejects.toMatchObject({ code: 'lease-not-yours' })
    await expect(report({ ...leased, attempt: { ...leased.attempt, id: 'made up' } }, 'built')).rejects.toMatchObject({
      code: 'attempt-unknown',
    })
    const committed = await report(leased, 'built')
    expect(await report(leased, 'built')).toEqual(committed)
    await expect(report(leased, 'build-failed')).rejects.toMatchObject({ code: 'attempt-committed' })
    expect(await store.reads.attempts.of(id)).toEqual([committed])
    expect(await store.reads.attempts.tries(leased.attempt.id)).toMatchObject([{ number: 1, worker: worker.id, ending: 'committed' }])
    await decide(ports, id, decisionOf({ statements: [] }))
  })

  it('keeps a lease by heartbeats, and takes no report after its end', async () => {
    const id = await accept({ attempts: 1 })
    const leased = await lease()
    const holder = { attemptId: leased.attempt.id, lease: leased.lease, worker: worker.id }
    clock.pass(LEASE_MS - 1)
    expect(await keepLease(ports, holder)).toEqual(new Date(clock.now().getTime() + LEASE_MS))
    await expect(keepLease(ports, { ...holder, worker: other.id })).rejects.toMatchObject({ code: 'lease-not-yours' })
    clock.pass(LEASE_MS - 1)
    await keepLease(ports, holder)
    clock.pass(LEASE_MS)
    await expect(keepLease(ports, holder)).rejects.toMatchObject({ code: 'lease-expired' })
    await expect(report(leased, 'built')).rejects.toMatchObject({ code: 'lease-expired' })
    expect((await store.reads.attempts.expired(clock.pass(1), 10)).map((attempt) => attempt.id)).toEqual([leased.attempt.id])
    await cancelVerification(ports, id)
  })

  it('is cancelled with its attempts, and what comes later changes nothing', async () => {
    const id = await accept({ lock: null, attempts: 3 })
    const leased = await lease()
    await cancelVerification(ports, id)
    await cancelVerification(ports, id)
    expect(await read(id)).toMatchObject({ state: 'cancelled', verdict: null, claims: null, finishedAt: clock.now() })
    await expect(report(leased, 'built')).rejects.toMatchObject({ code: 'attempt-committed' })
    expect((await store.reads.attempts.of(id)).map(({ life }) => life)).toMatchObject([{ state: 'committed', outcome: 'cancelled' }])
    expect(await store.reads.attempts.tries(leased.attempt.id)).toMatchObject([{ ending: 'cancelled', reason: { code: 'cancelled' } }])
    expect(await leaseAny(ports, worker)).toBeUndefined()
    await expect(decide(ports, id, decisionOf())).rejects.toMatchObject({ code: 'verification-over' })
  })

  it('is not found by what it claimed once it is cancelled, be that after its attempts', async () => {
    const sha256 = digestOf('claimed of what was cancelled late')
    const id = await accept({ attempts: 1, claims: [{ kind: 'file', name: null, sha256, location: null }] })
    await report(await lease(), 'built')
    const filter = { verdict: null, subject: sha256, source: null, builder: null, owner: null, since: null }
    const known = async () => (await store.reads.verifications.page(filter, { cursor: null, limit: 5 })).items.length
    expect(await known()).toBe(1)
    await cancelVerification(ports, id)
    expect([await known(), (await read(id)).claims]).toEqual([0, null])
  })

  it('opens no replay after a first attempt that has its answer', async () => {
    const id = await accept({ attempts: 3 })
    await report(await lease(), 'refused')
    expect(await leaseAny(ports, worker)).toBeUndefined()
    expect(await read(id)).toMatchObject({ state: 'running', claims: [{ sha256: digestOf('claimed') }] })
    await decide(ports, id, decisionOf({ verdict: 'undecided', tier: null }))
    // An undecided one says nothing about the image, so nothing is signed.
    expect(await store.reads.attestations.of(id)).toEqual([])
    expect(await store.unitOfWork.run(({ jobs }) => jobs.take('signing'))).toBeUndefined()
  })

  it('is joined by the same submission while it is open, and only by its owner’s', async () => {
    const submission = submissionOf(owner.id, { attempts: 1 })
    const first = await acceptVerification(ports, commandOf(submission))
    const stranger = await addOwner(store, 'mallory', clock.now())
    const again = await Promise.all(
      Array.from({ length: 4 }, () => acceptVerification(ports, commandOf({ ...submission, callbackUrl: 'https://else.example' }))),
    )
    expect(again).toEqual(Array.from({ length: 4 }, () => ({ verificationId: first.verificationId, joined: true })))
    const theirs = await acceptVerification(ports, commandOf({ ...submission, ownerId: stranger.id }))
    expect(theirs).toEqual({ verificationId: expect.not.stringMatching(first.verificationId), joined: false })
    await cancelVerification(ports, first.verificationId)
    const anew = await acceptVerification(ports, commandOf(submission))
    expect(anew.joined).toBe(false)
    for (const id of [theirs.verificationId, anew.verificationId]) await cancelVerification(ports, id)
  })

  it('is made once for an idempotency key, until the key expires', async () => {
    const key = { key: 'k1', requestDigest: digestOf('request'), hours: 1 }
    const submission = submissionOf(owner.id, { attempts: 1 })
    const first = await acceptVerification(ports, commandOf(submission, key))
    await cancelVerification(ports, first.verificationId)
    expect(await acceptVerification(ports, commandOf(submission, key))).toEqual({ verificationId: first.verificationId, joined: true })
    await expect(acceptVerification(ports, commandOf(submission, { ...key, requestDigest: digestOf('else') }))).rejects.toMatchObject({
      code: 'idempotency-key-reused',
    })
    clock.pass(3_600_000)
    const later = await acceptVerification(ports, commandOf(submission, key))
    expect(later.joined).toBe(false)
    await cancelVerification(ports, later.verificationId)
    clock.pass(3_600_000)
    expect(await store.unitOfWork.run(({ idempotencyKeys }) => idempotencyKeys.sweep(clock.now(), 10))).toBe(1)
  })

  it('is undecided, and not a mismatch, where the infrastructure fails to the last try', async () => {
    const id = await accept({ attempts: 1 })
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const leased = await leaseAgain(store, ports, worker)
      expect(leased.attempt.life.tries).toBe(tries)
      const after = await report(leased, 'infrastructure')
      expect(after.life).toMatchObject(tries < MAX_TRIES ? { state: 'queued', tries } : { state: 'committed', outcome: 'infrastructure' })
    }
    const [attempt] = await store.reads.attempts.of(id)
    expect(attempt?.report).toMatchObject({ outcome: 'infrastructure', reason: { code: 'infrastructure' } })
    expect((await store.reads.attempts.tries(attempt?.id ?? '')).map(({ ending }) => ending)).toEqual(
      Array.from({ length: MAX_TRIES }, () => 'infrastructure'),
    )
    expect(await leaseAny(ports, worker)).toBeUndefined()
    expect(await giveUpAttempts(ports)).toBe(0)
    await decide(ports, id, decisionOf({ verdict: 'undecided', tier: null }))
  })
})

/** Takes the job again although its delay has not passed: the delay is the queue's, and has its own test. */
async function leaseAgain(store: StoreRoom, ports: ServicePorts, worker: Worker): Promise<LeasedAttempt> {
  await hurry(store)
  return await mustLease(ports, worker)
}
