import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import type { Channel } from '../src/app/store/notice-ports.ts'
import { StoreRoom } from '../src/store-room.ts'
import { acceptPrepared, addOwner, Clock, newId, portsOf, submissionOf } from './stored.ts'
import { databases, emptyDatabase, onTrouble } from './stores.ts'

const quiet = { superviseSeconds: null, onTrouble } as const

/** Everything that is heard on a channel, and a way to wait until something is. */
async function ear({ notices }: Pick<StoreRoom, 'notices'>, channel: Channel) {
  const heard: string[] = []
  let gaps = 0
  let wake = (): void => {}
  const listening = await notices.listen(channel, {
    onNotice: (about) => {
      heard.push(about)
      wake()
    },
    onGap: () => {
      gaps += 1
      wake()
    },
  })
  const until = async (true_: () => boolean): Promise<void> => {
    while (!true_())
      await new Promise<void>((resolve) => {
        wake = resolve
      })
  }
  return { heard, listening, gaps: () => gaps, hears: (about: string) => until(() => heard.includes(about)), until }
}

describe.each(databases())('notices on %s', (kind) => {
  it('are heard by every store of the database once the transaction commits, and not where it does not', async () => {
    await using place = await emptyDatabase(kind)
    await using store = await StoreRoom.open({ ...place, ...quiet })
    // An embedded database has one process, and so one store.
    await using second = kind === 'postgres' ? await StoreRoom.open({ ...place, ...quiet }) : undefined
    const stores = second === undefined ? [store] : [store, second]
    const ears = await Promise.all(stores.map((one) => ear(one, 'events')))
    const elsewhere = await ear(store, 'verifications')
    const stop = new Error('stop')
    await expect(
      store.unitOfWork.run(async ({ notices }) => {
        await notices.send('events', 'taken back')
        throw stop
      }),
    ).rejects.toBe(stop)
    for (const about of ['one', 'two'])
      await store.unitOfWork.run(async ({ notices }) => {
        for (const _again of [1, 2]) await notices.send('events', about)
      })
    // They come in the order of the commits: what was taken back would have come before.
    for (const one of ears) {
      await one.hears('two')
      expect(one.heard).toEqual(['one', 'two'])
      expect(one.gaps()).toBe(0)
    }
    expect(elsewhere.heard).toEqual([])
    await ears[0]?.listening[Symbol.asyncDispose]()
    await store.unitOfWork.run(({ notices }) => notices.send('events', 'three'))
    await store.unitOfWork.run(({ notices }) => notices.send('verifications', 'last'))
    await elsewhere.hears('last')
    await ears[1]?.hears('three')
    expect(ears.map(({ heard }) => heard.includes('three'))).toEqual(kind === 'postgres' ? [false, true] : [false])
  })

  it('tell of what may be waited for: jobs, events, and every change of a verification', async () => {
    await using place = await emptyDatabase(kind)
    await using store = await StoreRoom.open({ ...place, ...quiet })
    const clock = new Clock()
    const [jobs, events, verifications] = [await ear(store, 'jobs'), await ear(store, 'events'), await ear(store, 'verifications')]
    const owner = await addOwner(store, 'alice', clock.now())
    const id = await acceptPrepared(portsOf(store, clock), submissionOf(owner.id))
    await store.unitOfWork.run(({ events: log }) => log.append(id, [{ kind: 'log', attempt: 1, at: clock.now().toISOString(), line: 'x' }]))
    await jobs.hears('attempt-amd64-trusted')
    await events.hears(id)
    await verifications.until(() => verifications.heard.length === 2)
    expect([jobs.heard, events.heard, verifications.heard]).toEqual([['preparation', 'attempt-amd64-trusted'], [id], [id, id]])
    // What waits for its time is looked for by the clock, what was there before by nobody.
    const attemptId = newId()
    const enqueue = (after?: Date) =>
      store.unitOfWork.run((unit) => unit.jobs.enqueue('attempt-arm64-trusted', { attemptId }, after === undefined ? {} : { after }))
    expect([await enqueue(new Date(Date.now() + 3_600_000)), await enqueue()]).toEqual([true, false])
    await store.unitOfWork.run(({ notices }) => notices.send('jobs', 'last'))
    await jobs.hears('last')
    expect(jobs.heard.slice(2)).toEqual(['last'])
  })
})

describe.each(databases().filter((kind) => kind === 'postgres'))('notices on %s', (kind) => {
  it('may be lost with the connection, and then whoever listens is told, and hears again', async () => {
    await using place = await emptyDatabase(kind)
    await using store = await StoreRoom.open({ ...place, ...quiet })
    const [one, ended] = [await ear(store, 'verifications'), await ear(store, 'verifications')]
    for (const round of [1, 2]) {
      await store.database.drizzle.execute(
        sql`select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%' and datname = current_database()`,
      )
      await one.until(() => one.gaps() === round)
      await store.unitOfWork.run(({ notices }) => notices.send('verifications', `after ${round}`))
      await one.hears(`after ${round}`)
      // It does not hear any more although its connection was opened again.
      if (round === 1) await ended.listening[Symbol.asyncDispose]()
    }
    expect(one.heard).toEqual(['after 1', 'after 2'])
    expect(ended.heard.includes('after 2')).toBe(false)
  })
})
