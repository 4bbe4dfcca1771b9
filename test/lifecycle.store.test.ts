import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acceptVerification, type ServicePorts } from '../src/app/accept-verification.ts'
import { cancelVerification, decide } from '../src/app/end-verification.ts'
import { MAX_TRIES } from '../src/app/lifecycle/attempt-state.ts'
import { giveUpAttempts, keepLease, LEASE_MS, type LeasedAttempt, leaseAttempt, reportAttempt } from '../src/app/run-attempts.ts'
import type { Owner, Worker } from '../src/app/store/records.ts'
import { StoreRoom } from '../src/store-room.ts'
import type { Outcome } from '../verifier/model/attempt.ts'
import { hurry } from './queued.ts'
import { addOwner, addWorker, Clock, commandOf, decisionOf, digestOf, portsOf, reportOf, submissionOf } from './stored.ts'
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
    return (await acceptVerification(ports, commandOf(submissionOf(owner.id, { source, ...change })))).verificationId
  }
  const lease = async (by = worker): Promise<LeasedAttempt> => {
    const leased = await leaseAttempt(ports, by.id)
    if (leased === undefined) throw new Error('nothing to do')
    return leased
  }
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
    const id = await accept()
    expect(await read(id)).toMatchObject({ state: 'accepted', claims: null, verdict: null })
    const first = await lease()
    expect(first).toMatchObject({ attempt: { number: 1, mode: 'live', verificationId: id }, submission: { attempts: 2 } })
    expect(JSON.stringify(first)).not.toContain(digestOf('claimed'))
    expect(await read(id)).toMatchObject({ state: 'running', claims: null })
    expect(await leaseAttempt(ports, other.id)).toBeUndefined()
    const pinned = {
      kind: 'git',
      url: 'https://git.example/1',
      commit: 'b'.repeat(40),
      ref: null,
      path: '.',
      treeDigest: digestOf('tree'),
    } as const
    await store.unitOfWork.run(({ verifications }) => verifications.pin(id, pinned))
    expect((await read(id)).pinned).toEqual(pinned)
    expect((await report(first, 'built')).life).toMatchObject({ state: 'committed', outcome: 'built' })
    await expect(store.reads.verifications.claims(id)).rejects.toMatchObject({ code: 'claims-hidden' })
    await expect(decide(ports, id, decisionOf())).rejects.toMatchObject({ code: 'attempts-open' })
    expect(await store.reads.verifications.known(digestOf('claimed'), { cursor: null, limit: 5 })).toEqual({ items: [], next: null })
    const second = await lease(other)
    expect(second).toMatchObject({ attempt: { number: 2, mode: 'replay' } })
    await report(second, 'built', other)
    expect(await read(id)).toMatchObject({ state: 'running', claims: [{ sha256: digestOf('claimed') }] })
    await decide(ports, id, decisionOf())
    await decide(ports, id, decisionOf())
    await expect(decide(ports, id, decisionOf({ verdict: 'mismatch', tier: null }))).rejects.toMatchObject({ code: 'verification-over' })
    expect(await read(id)).toMatchObject({ state: 'finished', verdict: 'reproduced', tier: 'bit-exact', report: digestOf('report') })
    const known = await store.reads.verifications.known(digestOf('built'), { cursor: null, limit: 5 })
    expect(known.items.map(({ verification, subjects }) => [verification.id, subjects])).toEqual([
      [id, [{ sha256: digestOf('built'), kind: 'artifact', name: 'image.tar' }]],
    ])
    expect(await leaseAttempt(ports, worker.id)).toBeUndefined()
    expect(await store.unitOfWork.run(({ jobs }) => jobs.take('signing'))).toMatchObject({
      tries: 1,
      data: { verificationId: id, predicateType: 'https://example.org/reproduced/v1' },
    })
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
    expect(await leaseAttempt(ports, worker.id)).toBeUndefined()
    await expect(decide(ports, id, decisionOf())).rejects.toMatchObject({ code: 'verification-over' })
  })

  it('opens no replay after a first attempt that has its answer', async () => {
    const id = await accept({ attempts: 3 })
    await report(await lease(), 'refused')
    expect(await leaseAttempt(ports, worker.id)).toBeUndefined()
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
    expect(await leaseAttempt(ports, worker.id)).toBeUndefined()
    expect(await giveUpAttempts(ports)).toBe(0)
    await decide(ports, id, decisionOf({ verdict: 'undecided', tier: null }))
  })
})

/** Takes the job again although its delay has not passed: the delay is the queue's, and has its own test. */
async function leaseAgain(store: StoreRoom, ports: ServicePorts, worker: Worker): Promise<LeasedAttempt> {
  await hurry(store)
  const leased = await leaseAttempt(ports, worker.id)
  if (leased === undefined) throw new Error('nothing to do')
  return leased
}
