import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acceptVerification, type ServicePorts } from '../src/app/service/accept-verification.ts'
import { cancelVerification, decide } from '../src/app/service/end-verification.ts'
import { reportAttempt } from '../src/app/service/report-attempt.ts'
import type { Owner, Prepared, Submission, Worker } from '../src/app/store/records.ts'
import type { Verifications } from '../src/app/store/store-ports.ts'
import { StoreRoom } from '../src/store-room.ts'
import type { Outcome } from '../verifier/model/attempt.ts'
import {
  acceptPrepared,
  addOwner,
  addWorker,
  Clock,
  commandOf,
  decisionOf,
  digestOf,
  mustLease,
  portsOf,
  preparedOf,
  reportOf,
  submissionOf,
} from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

const BUILDER = digestOf('builder')

describe.each(databases())('earlier verifications on %s', (kind) => {
  const clock = new Clock()
  let place: EmptyDatabase
  let store: StoreRoom
  let ports: ServicePorts
  let owner: Owner
  let worker: Worker

  beforeAll(async () => {
    place = await emptyDatabase(kind)
    store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    ports = portsOf(store, clock)
    owner = await addOwner(store, 'alice', clock.now())
    worker = await addWorker(store, 'one', clock.now())
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  const gitOf = (name: string, commit = 'a'.repeat(40)) => ({ kind: 'git', url: `https://git.example/${name}`, commit, path: '.' }) as const
  const report = async (outcome: Outcome, by: Worker = worker): Promise<void> => {
    const { attempt, lease } = await mustLease(ports, by)
    const said = { attemptId: attempt.id, lease, worker: by.id, digest: digestOf(lease) }
    await reportAttempt(ports, { ...said, report: reportOf(attempt.number, outcome) })
  }
  const finish = async (submission: Submission, outcomes: readonly Outcome[], prepared: Partial<Prepared> = {}): Promise<string> => {
    clock.pass(1000)
    const id = await acceptPrepared(ports, submission, prepared)
    for (const outcome of outcomes) await report(outcome)
    await decide(ports, id, decisionOf({ statements: [] }))
    return id
  }

  it('of an owner count for as long as they are open', async () => {
    const stranger = await addOwner(store, 'mallory', clock.now())
    const open = () => Promise.all([owner.id, stranger.id, 'nobody'].map((id) => store.reads.verifications.openOf(id)))
    await finish(submissionOf(owner.id, { source: gitOf('open/0'), attempts: 1 }), ['built'])
    expect(await open()).toEqual([0, 0, 0])
    const { verificationId: accepted } = await acceptVerification(ports, commandOf(submissionOf(owner.id, { source: gitOf('open/1') })))
    const running = await acceptPrepared(ports, submissionOf(owner.id, { source: gitOf('open/2') }))
    const theirs = await acceptPrepared(ports, submissionOf(stranger.id, { source: gitOf('open/2') }))
    expect(await open()).toEqual([2, 1, 0])
    for (const id of [accepted, running, theirs]) await cancelVerification(ports, id)
    expect(await open()).toEqual([0, 0, 0])
  })

  it('answer a later one of the same pinned source, lock and builder, and nothing else', async () => {
    const submission = submissionOf(owner.id, { source: gitOf('same'), attempts: 2 })
    const id = await finish(submission, ['built', 'built'])
    const prepared = preparedOf(submission)
    const asked = { prepared, attempts: 2, builder: BUILDER, since: clock.now() }
    const found = (change: Partial<typeof asked>) => store.reads.verifications.rebuilt({ ...asked, ...change })
    expect(await found({})).toBe(id)
    expect(await found({ attempts: 1 })).toBe(id)
    // What was read from it, and where its tar is, follow from the source.
    expect(await found({ prepared: { ...prepared, sourceTar: digestOf('else') } })).toBe(id)
    if (prepared.pinned.kind !== 'git') throw new Error('not git')
    const { pinned } = prepared
    const others = {
      'another tree': found({ prepared: { ...prepared, pinned: { ...pinned, treeDigest: digestOf('else') } } }),
      'another commit': found({ prepared: { ...prepared, pinned: { ...pinned, commit: 'b'.repeat(40) } } }),
      'another repository': found({ prepared: { ...prepared, pinned: { ...pinned, url: 'https://git.example/fork' } } }),
      'another folder': found({ prepared: { ...prepared, pinned: { ...pinned, path: 'image' } } }),
      'a lock': found({ prepared: { ...prepared, lock: digestOf('lock') } }),
      'more attempts': found({ attempts: 3 }),
      'another architecture': found({ prepared: { ...prepared, architecture: 'arm64' } }),
      'another builder': found({ builder: digestOf('another builder') }),
      'a later time': found({ since: new Date(clock.now().getTime() + 1) }),
    }
    for (const [what, other] of Object.entries(others)) expect([what, await other]).toEqual([what, undefined])
  })

  it('answer by the lock that they were built with', async () => {
    const [lock, other] = [digestOf('lock of one'), digestOf('lock of another')]
    const submission = submissionOf(owner.id, { source: gitOf('locked'), lock, attempts: 1 })
    const id = await finish(submission, ['built'])
    const rebuilt = (withLock: typeof lock | null) =>
      store.reads.verifications.rebuilt({
        prepared: preparedOf({ ...submission, lock: withLock }),
        attempts: 1,
        builder: BUILDER,
        since: clock.now(),
      })
    expect([await rebuilt(lock), await rebuilt(other), await rebuilt(null)]).toEqual([id, undefined, undefined])
  })

  it('do not answer while they are open, without an attempt, or with one that was not built', async () => {
    const attempts = 2
    const sources = ['failed', 'refused', 'cancelled', 'open', 'none'].map((name) =>
      submissionOf(owner.id, { source: gitOf(name), attempts }),
    )
    const [failed, refused, cancelled, open, none] = sources
    if (!failed || !refused || !cancelled || !open || !none) throw new Error('too few')
    await finish(failed, ['built', 'build-failed'])
    await finish(refused, ['refused'])
    const stopped = await acceptPrepared(ports, cancelled)
    for (const outcome of ['built', 'built'] as const) await report(outcome)
    await cancelVerification(ports, stopped)
    const { verificationId } = await acceptVerification(ports, commandOf(none))
    // Pinned and read, and then refused: nothing was built.
    await store.unitOfWork.run(({ verifications }) => verifications.prepare(verificationId, preparedOf(none)))
    await decide(ports, verificationId, decisionOf({ verdict: 'refused', tier: null, statements: [] }))
    const running = await acceptPrepared(ports, open)
    const since = new Date(0)
    for (const one of sources)
      expect(await store.reads.verifications.rebuilt({ prepared: preparedOf(one), attempts: 1, builder: BUILDER, since })).toBeUndefined()
    await cancelVerification(ports, running)
  })

  it('do not answer where a worker built whose key was revoked since', async () => {
    const submission = submissionOf(owner.id, { source: gitOf('revoked'), attempts: 2 })
    const bad = await addWorker(store, 'bad', clock.now())
    const from = clock.now()
    const rebuilt = () =>
      store.reads.verifications.rebuilt({ prepared: preparedOf(submission), attempts: 2, builder: BUILDER, since: from })
    clock.pass(1000)
    const id = await acceptPrepared(ports, submission)
    for (const one of [worker, bad]) await report('built', one)
    await decide(ports, id, decisionOf({ statements: [] }))
    expect(await rebuilt()).toBe(id)
    await store.unitOfWork.run(({ workers }) => workers.revoke('bad', clock.now()))
    expect(await rebuilt()).toBeUndefined()
    const later = await finish(submission, ['built', 'built'])
    expect(await rebuilt()).toBe(later)
  })

  it('answer newest first, whoever owned them, and not by an answer that was itself taken over', async () => {
    const stranger = await addOwner(store, 'somebody', clock.now())
    const first = await finish(submissionOf(owner.id, { source: gitOf('newest'), attempts: 1 }), ['built'])
    const submission = submissionOf(stranger.id, { source: gitOf('newest'), attempts: 1 })
    const second = await finish(submission, ['built'])
    const rebuilt = () =>
      store.reads.verifications.rebuilt({ prepared: preparedOf(submission), attempts: 1, builder: BUILDER, since: new Date(0) })
    expect(await rebuilt()).toBe(second)
    const third = await acceptPrepared(ports, submission)
    await store.unitOfWork.run(({ verifications }) => verifications.reuse(third, first))
    expect(await store.reads.verifications.read(third)).toMatchObject({ reusedFrom: first })
    await report('built')
    clock.pass(1000)
    await decide(ports, third, decisionOf({ statements: [] }))
    expect(await store.reads.verifications.read(third)).toMatchObject({ state: 'finished', reusedFrom: first })
    expect(await rebuilt()).toBe(second)
    // What is finished stays as it is.
    const late = (work: (verifications: Verifications) => Promise<void>) => store.unitOfWork.run((unit) => work(unit.verifications))
    await expect(late((verifications) => verifications.reuse(third, second))).rejects.toMatchObject({ code: 'record-final' })
    await expect(late((verifications) => verifications.prepare(third, preparedOf(submission)))).rejects.toMatchObject({
      code: 'record-final',
    })
  })
})
