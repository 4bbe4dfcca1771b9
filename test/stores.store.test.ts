import { describe, expect, inject, it } from 'vitest'
import { StoreRoom } from '../src/store-room.ts'
import { Secret } from '../verifier/model/secret.ts'
import { addOwner, Clock } from './stored.ts'
import { databases, emptyDatabase, onTrouble } from './stores.ts'

const quiet = { superviseSeconds: null, onTrouble } as const

it('runs on the embedded database and on a server', ({ skip }) => {
  if (inject('postgres') === null) return skip('PostgreSQL is not installed: make store brings it')
  expect(databases()).toEqual(['pglite', 'postgres'])
})

describe.each(databases())('a store on %s', (kind) => {
  it('is opened by several at once as far as its database takes them, made by one, and keeps what it holds', async () => {
    await using place = await emptyDatabase(kind)
    const opened = await Promise.allSettled(Array.from({ length: 3 }, () => StoreRoom.open({ ...place, ...quiet })))
    const failures = opened.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []))
    const stores = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const inUse = expect.objectContaining({ code: 'home-in-use' })
    expect(failures).toEqual(kind === 'pglite' ? [inUse, inUse] : [])
    const [first] = stores
    if (first === undefined) throw new Error('none was opened')
    const owner = await addOwner(first, 'alice', new Clock().now())
    for (const store of stores) expect(await store.reads.owners.find(owner.id)).toEqual(owner)
    for (const store of stores) await store[Symbol.asyncDispose]()
    await using again = await StoreRoom.open({ ...place, ...quiet })
    expect(await again.reads.owners.find(owner.id)).toEqual(owner)
  })
})

it('says that a server does not answer, and not how it was asked', async () => {
  const url = new Secret('postgres://somebody:hidden-word@127.0.0.1:1/nothing')
  const failure: unknown = await StoreRoom.open({ url, folder: '/nowhere', ...quiet }).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(failure).toMatchObject({ code: 'database-unreachable', retryable: true })
  expect(`${String(failure)} ${JSON.stringify(failure)} ${String((failure as Error).stack)}`).not.toMatch(/hidden-word|somebody/)
})
