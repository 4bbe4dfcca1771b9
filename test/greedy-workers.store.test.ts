import { sql } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cancelVerification } from '../src/app/service/end-verification.ts'
import { keepLease } from '../src/app/service/lease-attempt.ts'
import { repairJobs } from '../src/app/service/repair-jobs.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { hurry, loseWorkers } from './queued.ts'
import { rowsOf } from './rows.ts'
import { Clock, digestOf } from './stored.ts'
import { databases } from './stores.ts'
import { WorkerHand } from './worker-hand.ts'
import { WorkerRoom } from './worker-room.ts'

const HELD = 3

describe.each(databases())('a worker that wants more than its part, on %s', (kind) => {
  const clock = new Clock()
  let room: WorkerRoom
  let greedy: WorkerHand
  let other: WorkerHand

  beforeAll(async () => {
    room = await WorkerRoom.open(kind, { now: clock.now, spreadMs: 600_000, heldPerWorker: HELD })
    greedy = await WorkerHand.make(room, 'greedy')
    other = await WorkerHand.make(room, 'other')
  })
  afterAll(async () => {
    await room[Symbol.asyncDispose]()
  })
  afterEach(async () => {
    const { items } = await room.store.reads.verifications.open({ cursor: null, limit: 100 })
    for (const { id } of items) await cancelVerification(room.ports, id)
    clock.pass(91_000)
  })

  /** A verification of which this many attempts are open at once. */
  const locked = async (name: string, attempts: number): Promise<string> => {
    const lock = digestOf(`lock of ${name}`)
    await room.ports.unitOfWork.run(({ uploads }) => uploads.add({ ownerId: room.ownerId, sha256: lock, size: 1, createdAt: clock.now() }))
    return await room.submit({ 'app.js': `let name = '${name}'\n` }, { submission: { attempts, lock }, prepared: { lock } })
  }

  it('gets one attempt of a verification, however many it claims at the same moment', async () => {
    expect(await other.claim()).toBeUndefined()
    for (let round = 0; round < 5; round += 1) {
      const id = await locked(`at once ${round}`, 2)
      const jobs = await Promise.all([greedy.claim(), greedy.claim(), greedy.claim(), greedy.claim()])
      expect(jobs.filter((job) => job?.attempt.verificationId === id)).toHaveLength(1)
      expect((await other.mustClaim()).attempt.verificationId).toBe(id)
      await cancelVerification(room.ports, id)
    }
  })

  it('holds so many attempts and no more, and the rest is for others at once', async () => {
    for (let at = 0; at < HELD + 2; at += 1) await locked(`held ${at}`, 1)
    const waiting = [greedy.claim(3), greedy.claim(3), greedy.claim(3), greedy.claim(3), greedy.claim(3)]
    const jobs = await Promise.all(waiting)
    expect(jobs.filter((job) => job !== undefined)).toHaveLength(HELD)
    expect([await other.claim(), await other.claim()]).toEqual([expect.anything(), expect.anything()])
    // What it lost does not count, what it gave back neither.
    clock.pass(61_000)
    await locked('later', 1)
    expect(await greedy.claim()).toBeDefined()
  })

  it('builds on where it held as many as it may, and reported one', async () => {
    for (let at = 0; at < HELD + 1; at += 1) await room.submit({ 'app.js': `let live = ${at}\n` }, { submission: { attempts: 1 } })
    const jobs = [await greedy.mustClaim(), await greedy.mustClaim(), await greedy.mustClaim()]
    expect(await greedy.claim()).toBeUndefined()
    const [first] = jobs
    if (first === undefined) throw new Error('nothing')
    await greedy.finish(first)
    expect(await greedy.claim()).toBeDefined()
  })

  it('is passed by attempts of what it had also where their jobs were made again', async () => {
    expect(await other.claim()).toBeUndefined()
    const id = await locked('made again', 2)
    await room.store.database.drizzle.execute(sql`delete from queue.job`)
    expect(await repairJobs({ ...room.ports, reads: room.store.reads })).toBe(2)
    expect((await greedy.mustClaim()).attempt.verificationId).toBe(id)
    expect(await greedy.claim()).toBeUndefined()
    expect((await other.mustClaim()).attempt.verificationId).toBe(id)
  })

  it('loses what it keeps for hours by nothing but beats, and another has it', async () => {
    expect(await other.claim()).toBeUndefined()
    const id = await locked('kept', 1)
    const { attempt, lease } = await greedy.mustClaim()
    const beat = () => keepLease(room.ports, { attemptId: attempt.id, lease, worker: greedy.worker.id })
    const since = clock.now().getTime()
    while (clock.now().getTime() < since + 6 * 3600_000 - 60_000) {
      clock.pass(50_000)
      await beat()
    }
    expect((await beat()).getTime()).toBe(since + 6 * 3600_000)
    clock.pass(60_000)
    await expect(beat()).rejects.toMatchObject({ code: 'lease-expired' })
    await loseWorkers(room.store)
    await hurry(room.store)
    expect((await other.mustClaim()).attempt).toMatchObject({ verificationId: id, id: attempt.id })
  })

  it('hears which of a great many blobs it handed over', async () => {
    await locked('many', 1)
    const { attempt, lease } = await greedy.mustClaim()
    const digests: Sha256[] = Array.from({ length: 70_000 }, (_, at) => digestOf(`input ${at}`))
    const [one] = digests.slice(-1)
    if (one === undefined) throw new Error('none')
    await room.ports.unitOfWork.run(({ handedBlobs }) => handedBlobs.add({ attemptId: attempt.id, lease, sha256: one }))
    expect(await room.store.reads.handedBlobs.among({ attemptId: attempt.id, lease, digests })).toEqual(new Set([one]))
    expect(await rowsOf(room.store, sql`select 1 from handed_blobs`)).toHaveLength(1)
  })
})
