import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ATTEMPT_ROUTES, type AttemptRoute, type Worker, type WorkerCapabilities } from '../src/app/store/records.ts'
import type { Unit } from '../src/app/store/store-ports.ts'
import { StoreRoom } from '../src/store-room.ts'
import { addWorker, Clock, digestOf } from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

describe.each(databases())('workers on %s', (kind) => {
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

  const run = <T>(work: (unit: Unit) => Promise<T>): Promise<T> => store.unitOfWork.run(work)
  const can = (architecture: string): WorkerCapabilities => ({ architecture, builders: [digestOf('builder')], isolation: 'shared-kernel' })
  const add = (name: string, change: Partial<Worker>) => addWorker(store, name, clock.pass(1), change)
  const served = async (): Promise<AttemptRoute[]> => {
    const routes: AttemptRoute[] = []
    for (const route of ATTEMPT_ROUTES) if (await store.reads.workers.anyFor(route)) routes.push(route)
    return routes
  }
  const revoke = ({ name }: Worker) => run(({ workers }) => workers.revoke(name, clock.pass(1)))

  it('are found by their key until they are revoked, and are as they said last', async () => {
    const worker = await add('seen', { capabilities: null })
    expect(await store.reads.workers.withKey(worker.publicKey)).toEqual(worker)
    expect(await store.reads.workers.withKey('another key')).toBeUndefined()
    const capabilities = can('arm64')
    const now = clock.pass(1000)
    await run(({ workers }) => workers.seen(worker.id, { capabilities, now }))
    expect(await store.reads.workers.withKey(worker.publicKey)).toEqual({ ...worker, capabilities, lastSeenAt: now })
    const revoked = await revoke(worker)
    expect(revoked).toEqual({ ...worker, capabilities, lastSeenAt: now, revokedAt: clock.now() })
    // Revoked again it stays as it was, and who is not there is not made.
    expect([await revoke(worker), await revoke({ ...worker, name: 'nobody' })]).toEqual([revoked, undefined])
    expect(await store.reads.workers.withKey(worker.publicKey)).toBeUndefined()
    expect((await store.reads.workers.page({ cursor: null, limit: 1 })).items).toMatchObject([
      { id: worker.id, revokedAt: revoked?.revokedAt, capabilities },
    ])
  })

  it('take what their architecture can build, strangers’ sources only outside of the coordinator, and nothing once revoked', async () => {
    expect(await served()).toEqual([])
    const inside = await add('inside', { place: 'in-process', capabilities: can('amd64') })
    expect(await served()).toEqual(['amd64-trusted'])
    const outside = await add('outside', { place: 'remote', capabilities: can('arm64') })
    expect(await served()).toEqual(['amd64-trusted', 'arm64-trusted', 'arm64-stranger'])
    await revoke(inside)
    expect(await served()).toEqual(['arm64-trusted', 'arm64-stranger'])
    await revoke(outside)
    expect(await served()).toEqual([])
    // What was never heard of may turn out to be either.
    const unheard = await add('unheard', { place: 'remote', capabilities: null })
    expect(await served()).toEqual([...ATTEMPT_ROUTES])
    await revoke(unheard)
  })
})
