import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cancelVerification } from '../src/app/service/end-verification.ts'
import type { BlobQuestion } from '../src/app/service/worker-protocol.ts'
import { smallBuilder } from '../verifier/builder/testing/small-builder.ts'
import { digestOf as digestOfBytes } from '../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { hurry, loseWorkers } from './queued.ts'
import { Clock } from './stored.ts'
import { databases } from './stores.ts'
import { WorkerHand } from './worker-hand.ts'
import { WorkerRoom } from './worker-room.ts'

const SPREAD_MS = 600_000

async function failureOf(doing: Promise<unknown>): Promise<unknown> {
  try {
    await doing
    return 'taken'
  } catch (error) {
    const { code, data } = error as { code?: unknown; data?: { what?: string } }
    return data?.what === undefined ? (code ?? error) : `${String(code)} ${data.what}`
  }
}

describe.each(databases())('who builds what, on %s', (kind) => {
  const clock = new Clock()
  let room: WorkerRoom
  let one: WorkerHand
  let two: WorkerHand
  let beside: WorkerHand

  beforeAll(async () => {
    room = await WorkerRoom.open(kind, { now: clock.now, spreadMs: SPREAD_MS })
    one = await WorkerHand.make(room, 'one')
    two = await WorkerHand.make(room, 'two')
    beside = await WorkerHand.make(room, 'beside', { place: 'in-process' })
  })
  afterAll(async () => {
    await room[Symbol.asyncDispose]()
  })

  const hear = async (...hands: WorkerHand[]): Promise<void> => {
    for (const hand of hands) expect(await hand.claim()).toBeUndefined()
  }
  // Whoever is not heard of for longer than that is nobody to wait for.
  afterEach(async () => {
    const { items } = await room.store.reads.verifications.open({ cursor: null, limit: 100 })
    for (const { id } of items) await cancelVerification(room.ports, id)
    clock.pass(91_000)
  })
  const of = (job: { attempt: { verificationId: string; number: number } } | undefined) =>
    job === undefined ? null : [job.attempt.verificationId, job.attempt.number]

  it('attempts of a verification go to different workers where there are some', async () => {
    await hear(one, two)
    const id = await room.submit({ 'app.js': 'let spread = 1\n' })
    await one.finish(await one.mustClaim())
    // The replay waits, but not for this one: what another submits is its own to build.
    expect(await one.claim()).toBeUndefined()
    const other = await room.submit({ 'app.js': 'let spread = 2\n' })
    expect(of(await one.claim())).toEqual([other, 1])
    expect(of(await two.claim())).toEqual([id, 2])
  })

  it('three attempts that are open at once go to two workers before one has a second', async () => {
    await hear(one, two)
    await room.submit({ 'app.js': 'let locked = 1\n' }, { submission: { attempts: 1 } })
    const live = await one.mustClaim()
    await using run = await one.prepared(live)
    await one.report(live, run)
    const { lock } = run.attempt
    if (lock === null) throw new Error('it has no lock')
    const upload = { ownerId: room.ownerId, sha256: lock, size: 1, createdAt: clock.now() }
    await room.ports.unitOfWork.run(({ uploads }) => uploads.add(upload))
    const id = await room.submit({ 'app.js': 'let locked = 1\n' }, { submission: { attempts: 3, lock }, prepared: { lock } })
    expect(of(await one.claim())).toEqual([id, 1])
    expect(await one.claim()).toBeUndefined()
    expect(of(await two.claim())).toEqual([id, 2])
    // Both had one now: nobody is left to leave it to.
    expect(of(await one.claim())).toEqual([id, 3])
  })

  it('a worker that is alone, or alone is heard of, has them all', async () => {
    const id = await room.submit({ 'app.js': 'let alone = 1\n' })
    await one.finish(await one.mustClaim())
    expect(of(await one.claim())).toEqual([id, 2])
  })

  it('nobody waits for ever', async () => {
    await hear(one, two)
    const id = await room.submit({ 'app.js': 'let patience = 1\n' })
    await one.finish(await one.mustClaim())
    expect(await one.claim()).toBeUndefined()
    clock.pass(SPREAD_MS - 1000)
    // It is heard of, and takes nothing.
    await room.ports.unitOfWork.run(({ workers }) =>
      workers.seen(two.worker.id, { capabilities: { architecture: 'amd64', builders: [], isolation: 'shared-kernel' }, now: clock.now() }),
    )
    expect(await one.claim()).toBeUndefined()
    clock.pass(1000)
    expect(of(await one.claim())).toEqual([id, 2])
  })

  it('a worker that is revoked, of another architecture, or beside the coordinator where strangers build, is nobody to wait for', async () => {
    const arm = await WorkerHand.make(room, 'arm')
    const revoked = await WorkerHand.make(room, 'revoked')
    expect(await arm.claim(0, { architecture: 'arm64' })).toBeUndefined()
    await hear(revoked, beside)
    await room.ports.unitOfWork.run(({ workers }) => workers.revoke('revoked', clock.now()))
    const id = await room.submit({ 'app.js': 'let strangers = 1\n' }, { submission: { trusted: false } })
    await one.finish(await one.mustClaim())
    expect(of(await one.claim())).toEqual([id, 2])
  })

  it('what failed on one worker is tried on another', async () => {
    await hear(one, two)
    const id = await room.submit({ 'app.js': 'let broken = 1\n', 'stand-in.json': '{"brokenTries":1}' })
    const job = await one.mustClaim()
    await using run = await one.prepared(job)
    expect(await one.report(job, run)).toBe('queued')
    clock.pass(30_000)
    await hurry(room.store)
    expect(await one.claim()).toBeUndefined()
    expect(of(await two.claim())).toEqual([id, 1])
  })

  it('who waits passes what is for others on to them', async () => {
    await hear(one, two)
    const id = await room.submit({ 'app.js': 'let desk = 1\n' })
    const live = await one.mustClaim()
    await using run = await one.prepared(live)
    // The first in line may not have it.
    const waiting = [one.claim(3), two.claim(3)]
    await one.report(live, run)
    expect(of(await waiting[1])).toEqual([id, 2])
    expect(await waiting[0]).toBeUndefined()
  })

  describe('bytes that a worker names', () => {
    it('are its own: what others brought is none of them, whatever its digest', async () => {
      const secret = Buffer.from('what an owner brought and nobody reads')
      const sha256 = digestOfBytes(secret)
      await room.blobs.put(
        (async function* () {
          yield secret
        })(),
      )
      await room.ports.unitOfWork.run((unit) =>
        unit.uploads.add({ ownerId: room.ownerId, sha256, size: secret.length, createdAt: clock.now() }),
      )
      await room.submit({ 'app.js': 'let log = 1\n' })
      const job = await one.mustClaim()
      await using run = await one.prepared(job)
      const question: BlobQuestion = { schema: 'bitwitness/worker-blobs/v1', lease: job.lease, digests: [sha256] }
      expect(await one.coordinator.missing(job.attempt.id, question)).toEqual([sha256])
      expect(await failureOf(one.report(job, run, { log: sha256 }))).toBe('report-blobs-missing')
      expect(await room.store.reads.blobs.shownAs(sha256)).toBeUndefined()
      expect(await one.report(job, run)).toBe('committed')
    })

    it('count for the lease under which they came', async () => {
      const id = await room.submit({ 'app.js': 'let lease = 1\n' })
      const lost = await one.mustClaim()
      await using run = await one.prepared(lost)
      const { log } = run.attempt
      if (log === null) throw new Error('it has no log')
      const ask = async (hand: WorkerHand, job: typeof lost): Promise<readonly Sha256[]> =>
        await hand.coordinator.missing(job.attempt.id, { schema: 'bitwitness/worker-blobs/v1', lease: job.lease, digests: [log] })
      expect(await ask(one, lost)).toEqual([])
      clock.pass(61_000)
      await loseWorkers(room.store)
      await hurry(room.store)
      const again = await two.mustClaim()
      expect(of(again)).toEqual([id, 1])
      expect(await ask(two, again)).toEqual([log])
      await two.finish(again)
      const rows = await room.store.database.drizzle.execute('select * from handed_blobs')
      expect(Array.isArray(rows) ? rows : (rows as { rows: unknown[] }).rows).toEqual([])
    })
  })

  describe('where the operator names the builders', () => {
    let narrow: WorkerRoom
    let hand: WorkerHand
    let [first, second]: Sha256[] = []

    beforeAll(async () => {
      ;[first, second] = await Promise.all(['first', 'second'].map(async (seed) => (await smallBuilder(seed)).builder.digest))
      narrow = await WorkerRoom.open(kind, { now: clock.now, allowedBuilders: [first, second].filter((one) => one !== undefined) })
      hand = await WorkerHand.make(narrow, 'hand')
    })
    afterAll(async () => {
      await narrow[Symbol.asyncDispose]()
    })

    it('nobody submits for another', async () => {
      const foreign = (await smallBuilder('foreign')).builder.digest
      expect(await failureOf(narrow.submit({}, { submission: { builder: foreign } }))).toBe('builder-not-allowed')
    })

    it('an attempt is made in one of them, by a worker that has it if there is one, and its report is taken of no other', async () => {
      await narrow.submit({ 'app.js': 'let builder = 1\n' })
      const job = await hand.mustClaim({ builders: second === undefined ? [] : [second] })
      expect(job.builder).toEqual({ digest: second, description: null })
      await using foreign = await hand.prepared(job, { seed: 'foreign' })
      expect(await failureOf(hand.report(job, foreign))).toBe('report-builder-not-allowed')
      await using run = await hand.prepared(job, { seed: 'second' })
      expect(await hand.report(job, run)).toBe('committed')
      expect((await hand.mustClaim()).builder).toEqual({ digest: second, description: run.builder?.description })
    })

    it('one that can be given to the worker goes before one that only another worker may have', async () => {
      await narrow.submit({ 'app.js': 'let builder = 2\n' })
      expect((await hand.mustClaim()).builder).toMatchObject({ digest: second, description: expect.any(String) })
    })
  })
})
