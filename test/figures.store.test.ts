import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acceptVerification } from '../src/app/service/accept-verification.ts'
import { figuresOf } from '../src/app/service/service-figures.ts'
import { StoreRoom } from '../src/store-room.ts'
import { acceptPrepared, addOwner, addWorker, Clock, commandOf, mustLease, newId, portsOf, submissionOf } from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

describe.each(databases())('the figures on %s', (kind) => {
  const clock = new Clock()
  let place: EmptyDatabase
  let store: StoreRoom

  beforeAll(async () => {
    place = await emptyDatabase(kind)
    store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  const read = () => figuresOf({ reads: store.reads, queue: store.queue, now: clock.now })()

  it('are all there where there is nothing to do', async () => {
    const figures = await read()
    expect(figures).toMatchObject({ supervised: null, signing: { tasks: 0, oldest: null }, workers: [], at: clock.now() })
    expect(figures.queues.map(({ kind: queue }) => queue)).toEqual([
      'attempt-amd64-trusted',
      'attempt-amd64-stranger',
      'attempt-arm64-trusted',
      'attempt-arm64-stranger',
      'preparation',
      'decision',
      'signing',
      'summary',
      'callback',
      'deployment',
      'observation',
    ])
    expect(figures.queues.every(({ waiting, active, dueSince }) => waiting === 0 && active === 0 && dueSince === null)).toBe(true)
  })

  it('say what waits, since when, and what is being done', async () => {
    const owner = await addOwner(store, 'alice', clock.now())
    const source = (n: number) => ({ kind: 'git', url: `https://git.example/${n}`, commit: 'c'.repeat(40), path: '.' }) as const
    for (const n of [1, 2, 3]) await acceptVerification(portsOf(store, clock), commandOf(submissionOf(owner.id, { source: source(n) })))
    await store.unitOfWork.run(({ jobs }) => jobs.take('preparation'))
    const verificationId = newId()
    await store.unitOfWork.run(({ jobs }) => jobs.enqueue('callback', { verificationId }, { after: new Date(Date.now() + 3_600_000) }))
    const { queues } = await read()
    const figure = (queue: string) => queues.find(({ kind: one }) => one === queue)
    expect(figure('preparation')).toEqual({ kind: 'preparation', waiting: 2, active: 1, dueSince: expect.any(Date) })
    expect(Math.abs((figure('preparation')?.dueSince?.getTime() ?? 0) - Date.now())).toBeLessThan(120_000)
    // Its time has not come.
    expect(figure('callback')).toEqual({ kind: 'callback', waiting: 1, active: 0, dueSince: null })
  })

  it('say when somebody looked for lost jobs', async () => {
    await store.queue.supervise()
    const { supervised } = await read()
    expect(Math.abs((supervised?.getTime() ?? 0) - Date.now())).toBeLessThan(120_000)
  })

  it('count workers that were heard of lately, and those that hold an attempt for longer', async () => {
    const silent = await addWorker(store, 'silent', clock.now())
    const heard = await addWorker(store, 'heard', clock.now())
    const revoked = await addWorker(store, 'revoked', clock.now())
    expect((await read()).workers).toEqual([])
    const { capabilities } = heard
    if (capabilities === null) throw new Error('it can do nothing')
    const see = (id: string) => store.unitOfWork.run(({ workers }) => workers.seen(id, { capabilities, now: clock.now() }))
    for (const { id } of [silent, heard, revoked]) await see(id)
    await store.unitOfWork.run(({ workers }) => workers.revoke(revoked.name, clock.now()))
    expect((await read()).workers).toEqual([{ architecture: 'amd64', place: heard.place, count: 2 }])
    clock.pass(121_000)
    await see(heard.id)
    expect((await read()).workers).toEqual([{ architecture: 'amd64', place: heard.place, count: 1 }])
    const owner = await addOwner(store, 'bob', clock.now())
    await acceptPrepared(portsOf(store, clock), submissionOf(owner.id))
    await mustLease(portsOf(store, clock), silent)
    expect((await read()).workers).toEqual([{ architecture: 'amd64', place: heard.place, count: 2 }])
  })
})
