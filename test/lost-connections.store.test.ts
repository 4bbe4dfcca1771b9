import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { describe, expect, inject, it, vi } from 'vitest'
import type { Unit } from '../src/app/store/store-ports.ts'
import { findPackage } from '../src/config/package-root.ts'
import { Database, openDatabase } from '../src/db/database.ts'
import { isUnreachable } from '../src/db/failures.ts'
import { translated } from '../src/db/session.ts'
import { fromPostgresJs } from '../src/queue/postgres-js.ts'
import { StoreRoom } from '../src/store-room.ts'
import { PostgresRelay } from './postgres-relay.ts'
import { rowsOf } from './rows.ts'
import { addOwner, newId } from './stored.ts'
import { emptyDatabase, onTrouble, urlOf } from './stores.ts'

const OWNER = { kind: 'local', issuer: 'local', createdAt: new Date() } as const

const migrations = path.join(findPackage().root, 'drizzle')

describe.skipIf(inject('postgres') === null)('a connection to the server that is lost', () => {
  /** Ends the connection of whoever waits within a transaction, as a server that is killed would. */
  async function cutOff(store: StoreRoom): Promise<void> {
    const others = sql`datname = current_database() and pid <> pg_backend_pid() and state = 'idle in transaction'`
    for (;;) {
      const ended = await rowsOf(store, sql`select pg_terminate_backend(pid) from pg_stat_activity where ${others}`)
      if (ended.length > 0) return
      await delay(5)
    }
  }
  const add = ({ owners }: Unit, subject: string) => owners.ensure({ ...OWNER, id: newId(), subject, name: subject })

  it.each([
    ['while it asks', (): Promise<void> => Promise.resolve()],
    // By then the driver knows.
    ['a while before it asks again', (): Promise<void> => delay(100)],
  ])('in a transaction, %s, undoes it, and the process lives', async (_when, moment) => {
    await using place = await emptyDatabase('postgres')
    await using store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    const work = async (unit: Unit): Promise<void> => {
      await add(unit, 'one')
      await cutOff(store)
      await moment()
      await add(unit, 'two')
    }
    await expect(store.unitOfWork.run(work)).rejects.toMatchObject({ code: 'database-unreachable' })
    await delay(50)
    expect(await rowsOf(store, sql`select 1 from owners`)).toEqual([])
    // The same for many at once, so that every connection of the pool was lost and is used again.
    await Promise.allSettled(Array.from({ length: 8 }, () => store.unitOfWork.run(work)))
    for (let number = 1; number <= 20; number += 1) await addOwner(store, `owner ${number}`, new Date())
    expect(await rowsOf(store, sql`select 1 from owners`)).toHaveLength(20)
  })

  it('before it is to commit commits nothing, and the process lives', async () => {
    await using place = await emptyDatabase('postgres')
    await using store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    const lost = store.unitOfWork.run(async (unit) => {
      await add(unit, 'one')
      await cutOff(store)
      await delay(100)
    })
    await expect(lost).rejects.toMatchObject({ code: 'database-unreachable' })
    await delay(50)
    expect(await rowsOf(store, sql`select 1 from owners`)).toEqual([])
  })

  it('while the schema is brought up to date, at whatever moment, is told, and the process lives', async () => {
    await using place = await emptyDatabase('postgres')
    await using relay = await PostgresRelay.open(urlOf(place))
    for (let answers = 0; ; answers += answers < 20 ? 1 : 9) {
      const { kills } = relay
      await relay.killAfter(answers)
      const opened = await openDatabase({ url: relay.url, folder: place.folder, migrations }).catch((error: unknown) => error)
      if (opened instanceof Database) await opened[Symbol.asyncDispose]()
      else expect(opened).toMatchObject({ code: 'database-unreachable' })
      // The server had less to answer.
      if (relay.kills === kills) break
    }
    expect(relay.kills).toBeGreaterThan(20)
  })

  it('at whatever moment of its beginning is told, and the process lives', async () => {
    await using place = await emptyDatabase('postgres')
    await using relay = await PostgresRelay.open(urlOf(place))
    await using database = await openDatabase({ url: relay.url, folder: place.folder, migrations })
    const ask = async (): Promise<unknown> => await translated(() => database.drizzle.execute(sql`select 1 as one`))
    for (let round = 0; round < 16; round += 1) {
      const { kills } = relay
      // Until it may ask, and until it has its first answer.
      await relay.killAfter(round % 4)
      relay.cutOff()
      while (relay.kills === kills) {
        const asked = await Promise.allSettled(Array.from({ length: 20 }, ask))
        for (const one of asked) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'database-unreachable' })
      }
      await vi.waitFor(async () => expect(await ask()).toEqual([{ one: 1 }]), { timeout: 30_000 })
    }
  })

  it('in a transaction of the queue’s own is told, and the process lives', async () => {
    await using place = await emptyDatabase('postgres')
    await using store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    const connection = store.database.queue
    if (connection.kind !== 'postgres') throw new Error('no server')
    const db = fromPostgresJs(connection)
    for (let times = 1; times <= 6; times += 1)
      await expect(db.executeSql('BEGIN; select pg_terminate_backend(pg_backend_pid()); COMMIT')).rejects.toSatisfy(isUnreachable)
    // What ended a connection is told once more to whoever uses it next.
    await db.executeSql('BEGIN; select 0; COMMIT').catch(() => {})
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => db.executeSql(`BEGIN; select ${at} as at; COMMIT`)))
    expect(answers.map(({ rows }) => rows)).toEqual(Array.from({ length: 20 }, (_, at) => [{ at }]))
    await expect(db.executeSql('BEGIN; select 1 / 0; COMMIT')).rejects.toMatchObject({ code: '22012' })
    expect((await db.executeSql('BEGIN; select 1 as one; COMMIT')).rows).toEqual([{ one: 1 }])
  })
})
