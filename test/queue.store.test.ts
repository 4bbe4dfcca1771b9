import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MAX_TRIES } from '../src/app/lifecycle/attempt-state.ts'
import type { ServicePorts } from '../src/app/service/accept-verification.ts'
import { cancelVerification } from '../src/app/service/end-verification.ts'
import { giveUpAttempts } from '../src/app/service/give-up-attempts.ts'
import { keepLease } from '../src/app/service/lease-attempt.ts'
import { reportAttempt } from '../src/app/service/report-attempt.ts'
import type { Owner, Worker } from '../src/app/store/records.ts'
import type { Jobs } from '../src/app/store/store-ports.ts'
import { StoreRoom } from '../src/store-room.ts'
import { hurry, loseWorkers, takeAll } from './queued.ts'
import { rowsOf } from './rows.ts'
import { acceptPrepared, addOwner, addWorker, Clock, digestOf, leaseAny, newId, portsOf, reportOf, submissionOf } from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

const QUEUE = 'attempt-amd64-trusted'

describe.each(databases())('the queue on %s', (kind) => {
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

  const jobs = <T>(work: (jobs: Jobs) => Promise<T>): Promise<T> => store.unitOfWork.run((unit) => work(unit.jobs))
  let made = 0
  const accept = async (): Promise<string> => {
    made += 1
    const source = { kind: 'git', url: `https://git.example/${made}`, commit: 'c'.repeat(40), path: '.' } as const
    return await acceptPrepared(ports, submissionOf(owner.id, { source, attempts: 1 }))
  }

  it('gives each of many jobs to one of many takers, oldest first', async () => {
    const ids = Array.from({ length: 40 }, newId)
    for (const attemptId of ids) await jobs((queue) => queue.enqueue(QUEUE, { attemptId }))
    expect(await jobs((queue) => queue.take(QUEUE))).toEqual({ id: ids[0], tries: 1, data: { attemptId: ids[0] } })
    const taken = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const own: string[] = []
        for (;;) {
          const job = await jobs((queue) => queue.take(QUEUE))
          if (job === undefined) return own
          own.push(job.id)
        }
      }),
    )
    expect(taken.flat().toSorted()).toEqual(ids.slice(1).toSorted())
    for (const id of ids) await jobs((queue) => queue.complete(QUEUE, id))
  })

  it('knows an attempt once, and a statement once for as long as it is not signed', async () => {
    const attemptId = newId()
    const enqueue = () => jobs((queue) => queue.enqueue(QUEUE, { attemptId }))
    expect([await enqueue(), await enqueue()]).toEqual([true, false])
    const attempt = await jobs((queue) => queue.take(QUEUE))
    expect(await enqueue()).toBe(false)
    await jobs((queue) => queue.complete(QUEUE, attempt?.id ?? ''))
    expect(await enqueue()).toBe(false)
    const statement = { verificationId: newId(), predicateType: 'p' }
    const sign = (predicateType = 'p') => jobs((queue) => queue.enqueue('signing', { ...statement, predicateType }))
    expect([await sign(), await sign(), await sign('q')]).toEqual([true, false, true])
    for (const _ of ['p', 'q']) {
      const task = await jobs((queue) => queue.take('signing'))
      expect(await sign(task?.data.predicateType)).toBe(false)
      await jobs((queue) => queue.complete('signing', task?.id ?? ''))
    }
    expect(await jobs((queue) => queue.take('signing'))).toBeUndefined()
    // What is done for a verification is one job until it is done, and may come again.
    for (const kind of ['preparation', 'decision', 'callback'] as const) {
      const verificationId = newId()
      const again = () => jobs((queue) => queue.enqueue(kind, { verificationId }))
      expect([await again(), await again()]).toEqual([true, false])
      const job = await jobs((queue) => queue.take(kind))
      expect([job?.data, await again()]).toEqual([{ verificationId }, false])
      await jobs((queue) => queue.complete(kind, job?.id ?? ''))
      expect(await again()).toBe(true)
      expect(await takeAll(store, kind)).toEqual([{ verificationId }])
    }
  })

  it('gives first what has more priority, and of that what is older', async () => {
    const ids = [newId(), newId(), newId(), newId()] as const
    for (const [index, priority] of [-2, 0, -1, 0].entries())
      await jobs((queue) => queue.enqueue(QUEUE, { attemptId: ids[index] ?? '' }, { priority }))
    expect(await takeAll(store, QUEUE)).toEqual([1, 3, 2, 0].map((index) => ({ attemptId: ids[index] })))
  })

  it('takes back, with a transaction that fails, what was taken, completed and enqueued in it', async () => {
    const [first, second] = [newId(), newId()]
    await jobs((queue) => queue.enqueue(QUEUE, { attemptId: first }))
    const stop = new Error('stop')
    await expect(
      jobs(async (queue) => {
        await queue.take(QUEUE)
        await queue.complete(QUEUE, first)
        await queue.enqueue(QUEUE, { attemptId: second })
        throw stop
      }),
    ).rejects.toBe(stop)
    expect(await jobs((queue) => queue.take(QUEUE))).toMatchObject({ id: first, tries: 1 })
    expect(await jobs((queue) => queue.take(QUEUE))).toBeUndefined()
    await jobs((queue) => queue.complete(QUEUE, first))
  })

  it('waits until a job’s time, and longer before each further try', async () => {
    const attemptId = newId()
    await jobs((queue) => queue.enqueue(QUEUE, { attemptId }, { after: new Date(Date.now() + 3_600_000) }))
    expect(await jobs((queue) => queue.take(QUEUE))).toBeUndefined()
    await jobs((queue) => queue.cancel(QUEUE, attemptId))
    const statement = { verificationId: newId(), predicateType: 'p' }
    await jobs((queue) => queue.enqueue('signing', statement))
    const delays: number[] = []
    for (let tries = 1; tries <= 12; tries += 1) {
      const job = await jobs((queue) => queue.take('signing'))
      expect(job).toMatchObject({ tries, data: statement })
      await jobs((queue) => queue.retry('signing', { id: job?.id ?? '', tries }))
      expect(await jobs((queue) => queue.take('signing'))).toBeUndefined()
      delays.push(await delayOf(store, job?.id ?? ''))
      await hurry(store)
    }
    // 5 · 2ⁿ⁻¹, of which up to a half is chance; never more than a quarter of an hour.
    for (const [index, delay] of delays.entries()) {
      expect(delay).toBeGreaterThan(Math.min(900, 5 * 2 ** (index - 1)) - 3)
      expect(delay).toBeLessThanOrEqual(Math.min(900, 5 * 2 ** (index + 1)))
    }
    const job = await jobs((queue) => queue.take('signing'))
    await jobs((queue) => queue.complete('signing', job?.id ?? ''))
  })

  it('gives an attempt to somebody else when its worker is lost, and takes no report from the lost one', async () => {
    const id = await accept()
    const lost = await leaseAny(ports, worker)
    const two = await addWorker(store, 'two', clock.now())
    await loseWorkers(store)
    expect(await leaseAny(ports, two)).toBeUndefined()
    await hurry(store)
    const again = await leaseAny(ports, two)
    if (lost === undefined || again === undefined) throw new Error('nothing to do')
    expect(again.attempt).toMatchObject({ id: lost.attempt.id, life: { state: 'leased', tries: 2, lease: { worker: two.id } } })
    const report = { attemptId: lost.attempt.id, report: reportOf(1, 'built'), digest: digestOf('report of the lost one') }
    await expect(reportAttempt(ports, { ...report, lease: lost.lease, worker: worker.id })).rejects.toMatchObject({
      code: 'lease-not-yours',
    })
    expect(await store.reads.attempts.tries(lost.attempt.id)).toMatchObject([
      { number: 1, worker: worker.id, ending: 'lease-lost', reason: { code: 'lease-lost' } },
    ])
    await cancelVerification(ports, id)
  })

  it('lets a worker that sends heartbeats keep its job', async () => {
    const id = await accept()
    const kept = await leaseAny(ports, worker)
    if (kept === undefined) throw new Error('nothing to do')
    await store.database.drizzle.execute(sql`update queue.job set heartbeat_on = now() - interval '1 day' where state = 'active'`)
    await keepLease(ports, { attemptId: kept.attempt.id, lease: kept.lease, worker: worker.id })
    await store.database.drizzle.execute(sql`update queue.queue set monitor_on = null, monitor_claim_on = null`)
    await store.queue.supervise()
    await hurry(store)
    expect(await leaseAny(ports, worker)).toBeUndefined()
    await cancelVerification(ports, id)
  })

  it.each([
    [undefined, 'active'],
    [12, 'retry'],
  ])('with a lease of %s s says of an attempt that nobody was heard of for 13 s that it is %s', async (leaseSeconds, state) => {
    await using own = await emptyDatabase(kind)
    await using chosen = await StoreRoom.open({
      ...own,
      superviseSeconds: null,
      onTrouble,
      ...(leaseSeconds === undefined ? {} : { leaseSeconds }),
    })
    const attemptId = newId()
    await chosen.unitOfWork.run(async (unit) => {
      await unit.jobs.enqueue(QUEUE, { attemptId })
      await unit.jobs.take(QUEUE)
    })
    await chosen.database.drizzle.execute(sql`update queue.job set heartbeat_on = now() - interval '13 seconds'`)
    await chosen.queue.supervise()
    const rows = await rowsOf(chosen, sql`select state::text as state from queue.job where id = ${attemptId}`)
    expect(rows).toEqual([{ state }])
  })

  it('gives an attempt up after its last try, which then is the infrastructure’s', async () => {
    const id = await accept()
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      expect(await giveUpAttempts(ports)).toBe(0)
      await hurry(store)
      expect((await leaseAny(ports, worker))?.attempt.life.tries).toBe(tries)
      await loseWorkers(store)
    }
    await hurry(store)
    expect(await leaseAny(ports, worker)).toBeUndefined()
    expect(await giveUpAttempts(ports)).toBe(1)
    const [attempt] = await store.reads.attempts.of(id)
    expect(attempt).toMatchObject({
      life: { state: 'committed', outcome: 'infrastructure', tries: MAX_TRIES },
      report: { reason: { code: 'lease-lost' } },
    })
    expect(await store.reads.attempts.tries(attempt?.id ?? '')).toHaveLength(MAX_TRIES)
    expect(await giveUpAttempts(ports)).toBe(0)
  })

  it('takes a late report of a job that it had given back already, and does not give it out again', async () => {
    const id = await accept()
    const late = await leaseAny(ports, worker)
    if (late === undefined) throw new Error('nothing to do')
    await loseWorkers(store)
    const report = { attemptId: late.attempt.id, lease: late.lease, worker: worker.id, report: reportOf(1, 'built') }
    await reportAttempt(ports, { ...report, digest: digestOf('late') })
    await hurry(store)
    expect(await leaseAny(ports, worker)).toBeUndefined()
    expect((await store.reads.attempts.of(id)).map(({ life }) => life.state)).toEqual(['committed'])
  })
})

/** Seconds until the queue gives a job out again. */
async function delayOf(store: StoreRoom, id: string): Promise<number> {
  const [row] = await rowsOf(store, sql`select extract(epoch from start_after - now())::float8 as delay from queue.job where id = ${id}`)
  return Number(row?.['delay'] ?? Number.NaN)
}
