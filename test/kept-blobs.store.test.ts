import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServicePorts } from '../src/app/service/accept-verification.ts'
import { cancelVerification, decide } from '../src/app/service/end-verification.ts'
import { reportAttempt } from '../src/app/service/report-attempt.ts'
import type { BlobRole, Owner, Worker } from '../src/app/store/records.ts'
import type { Unit } from '../src/app/store/store-ports.ts'
import { StoreRoom } from '../src/store-room.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import {
  acceptPrepared,
  addOwner,
  addWorker,
  Clock,
  collectAll,
  decisionOf,
  digestOf,
  mustLease,
  newId,
  portsOf,
  reportOf,
  submissionOf,
} from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

describe.each(databases())('blobs that are kept on %s', (kind) => {
  const clock = new Clock()
  let place: EmptyDatabase
  let store: StoreRoom
  let ports: ServicePorts
  let owner: Owner
  let other: Owner
  let worker: Worker

  beforeAll(async () => {
    place = await emptyDatabase(kind)
    store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    ports = portsOf(store, clock)
    owner = await addOwner(store, 'alice', clock.now())
    other = await addOwner(store, 'mallory', clock.now())
    worker = await addWorker(store, 'one', clock.now())
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  const run = <T>(work: (unit: Unit) => Promise<T>): Promise<T> => store.unitOfWork.run(work)
  const blob = (text: string) => ({ sha256: digestOf(text), size: text.length })
  const known = async (...texts: string[]): Promise<string[]> => {
    const found = await store.reads.blobs.known(texts.map(digestOf))
    return texts.filter((text) => found.has(digestOf(text)))
  }
  const named = (digests: readonly Sha256[], ...texts: string[]): string[] => texts.filter((text) => digests.includes(digestOf(text)))
  let made = 0
  const open = (): Promise<string> => {
    made += 1
    const source = { kind: 'git', url: `https://git.example/${made}`, commit: 'b'.repeat(40), path: '.' } as const
    return acceptPrepared(ports, submissionOf(owner.id, { source, attempts: 1 }))
  }
  const commit = async (): Promise<void> => {
    const { attempt, lease } = await mustLease(ports, worker)
    const said = { attemptId: attempt.id, lease, worker: worker.id, digest: digestOf(lease) }
    await reportAttempt(ports, { ...said, report: reportOf(1, 'built') })
  }
  const refer = (verificationId: string, text: string, role: BlobRole = 'log') =>
    run(({ blobs }) => blobs.refer({ ...blob(text), verificationId, role, at: clock.now() }))
  const finish = async (id: string): Promise<void> => {
    await commit()
    await decide(ports, id, decisionOf({ statements: [] }))
  }
  const collect = (): Promise<readonly Sha256[]> => run(({ blobs }) => collectAll(blobs, new Date(clock.pass(1000).getTime() - 1)))

  it('are known by their digests, however many are asked for', async () => {
    const id = await open()
    await refer(id, 'known')
    expect(await known('known', 'unknown')).toEqual(['known'])
    expect(await known()).toEqual([])
    const many = Array.from({ length: 2500 }, (_, index) => `many ${index}`)
    await run(({ blobs }) => blobs.lockInputs({ lock: digestOf('known'), inputs: many.map(blob), at: clock.now() }))
    expect(await known(...many, 'unknown')).toEqual(many)
    await cancelVerification(ports, id)
  })

  it('go, as inputs, only after the last lock that names them', async () => {
    const [first, second] = [await open(), await open()]
    for (const [id, lock] of [
      [first, 'lock 1'],
      [second, 'lock 2'],
    ] as const) {
      await refer(id, lock, 'lock')
      const inputs = ['input of both', `input of ${lock}`].map(blob)
      for (const _again of [1, 2]) await run(({ blobs }) => blobs.lockInputs({ lock: digestOf(lock), inputs, at: clock.now() }))
    }
    const all = ['lock 1', 'lock 2', 'input of both', 'input of lock 1', 'input of lock 2']
    await finish(first)
    expect(named(await collect(), ...all)).toEqual(['lock 1'])
    expect(named(await collect(), ...all)).toEqual(['input of lock 1'])
    expect(named(await collect(), ...all)).toEqual([])
    expect(await known(...all)).toEqual(['lock 2', 'input of both', 'input of lock 2'])
    await finish(second)
    expect(named(await collect(), ...all)).toEqual(['lock 2'])
    expect(named(await collect(), ...all)).toEqual(['input of both', 'input of lock 2'])
    expect(await known(...all)).toEqual([])
  })

  it('are shown as parts of a verification only once its attempts are committed, and never of a cancelled one', async () => {
    const [done, cancelled] = [await open(), await open()]
    for (const id of [done, cancelled]) await refer(id, 'part')
    await refer(done, 'part', 'artifact')
    const parts = async () =>
      (await store.reads.blobs.partsOf(digestOf('part'))).map((part) => `${part.verificationId} ${part.role} ${part.shown}`).toSorted()
    const hidden = [`${done} artifact false`, `${done} log false`, `${cancelled} log false`]
    const shown = [`${done} artifact true`, `${done} log true`, `${cancelled} log false`]
    expect(await parts()).toEqual(hidden.toSorted())
    for (const _each of [done, cancelled]) await commit()
    await cancelVerification(ports, cancelled)
    expect(await parts()).toEqual(shown.toSorted())
    await decide(ports, done, decisionOf({ statements: [] }))
    expect(await parts()).toEqual(shown.toSorted())
    expect(await store.reads.blobs.partsOf(digestOf('part of nothing'))).toEqual([])
  })

  it('are each owner’s own as uploads, counted, and renewed when they are brought again', async () => {
    const start = clock.pass(1000)
    const upload = (of: Owner, text: string) => run(({ uploads }) => uploads.add({ ownerId: of.id, ...blob(text), createdAt: clock.now() }))
    const find = (of: Owner, text: string) => run(({ uploads }) => uploads.find(of.id, digestOf(text)))
    await upload(owner, 'mine')
    await upload(owner, 'also mine')
    await upload(other, 'theirs')
    expect(await find(owner, 'mine')).toEqual({ ownerId: owner.id, ...blob('mine'), createdAt: start })
    expect([await find(other, 'mine'), await find(owner, 'theirs')]).toEqual([undefined, undefined])
    expect(await known('mine', 'theirs')).toEqual(['mine', 'theirs'])
    expect(await store.reads.uploads.held(owner.id)).toEqual({ bytes: 4 + 9, oldest: start })
    const later = clock.pass(1000)
    await upload(owner, 'mine')
    expect(await store.reads.uploads.held(owner.id)).toEqual({ bytes: 4 + 9, oldest: start })
    await upload(owner, 'also mine')
    expect(await store.reads.uploads.held(owner.id)).toEqual({ bytes: 4 + 9, oldest: later })
    expect(await find(owner, 'mine')).toMatchObject({ createdAt: later })
    // No verification needs them, and still they are not collected.
    expect(named(await collect(), 'mine', 'also mine', 'theirs')).toEqual([])
    await run(({ uploads }) => uploads.sweep(clock.pass(1), 100))
  })

  it('count as held by their owner once each, and for as long as a verification that they came for is open', async () => {
    const held = async (of: Owner = owner) => (await store.reads.uploads.held(of.id)).bytes
    const [id, later] = [await open(), await open()]
    const before = await held()
    await run(({ uploads }) => uploads.add({ ownerId: owner.id, ...blob('both'), createdAt: clock.now() }))
    for (const one of [id, later]) for (const role of ['upload', 'inputs'] as const) await refer(one, 'both', role)
    await refer(id, 'lock of it', 'lock')
    // What the service made of it is not its owner's.
    await refer(id, 'made of it', 'source')
    expect([await held(), await held(other)]).toEqual([before + 4 + 10, 0])
    await run(({ uploads }) => uploads.sweep(clock.pass(1), 100))
    expect(await held()).toBe(before + 4 + 10)
    await cancelVerification(ports, id)
    expect(await held()).toBe(before + 4)
    await cancelVerification(ports, later)
    expect(await held()).toBe(before)
  })

  it('are counted each time they come, until that is forgotten', async () => {
    const start = clock.pass(1000)
    const received = (since: Date, of: Owner = owner) => store.reads.uploads.received(of.id, since)
    const receive = (of: Owner, bytes: number) =>
      run(({ uploads }) => uploads.receive({ id: newId(), ownerId: of.id, bytes, at: clock.now() }))
    await receive(owner, 5)
    await receive(other, 1)
    const later = clock.pass(1000)
    await receive(owner, 5)
    await receive(owner, 0)
    expect(await received(start)).toEqual({ bytes: 10, count: 3, oldest: start })
    expect(await received(later)).toEqual({ bytes: 5, count: 2, oldest: later })
    expect(await received(clock.pass(1))).toEqual({ bytes: 0, count: 0, oldest: null })
    const forget = (limit: number) => run(({ uploads }) => uploads.forgetReceived(later, limit))
    expect([await forget(1), await forget(9), await forget(9)]).toEqual([1, 1, 0])
    expect([await received(start), await received(start, other)]).toMatchObject([{ count: 2 }, { count: 0 }])
  })

  it('go with the last upload of theirs, unless something else needs them', async () => {
    const all = ['unused', 'of two', 'referred', 'lock', 'input', 'part of a builder', 'young']
    for (const text of all.filter((one) => one !== 'input' && one !== 'young'))
      await run(({ uploads }) => uploads.add({ ownerId: owner.id, ...blob(text), createdAt: clock.now() }))
    const id = await open()
    await refer(id, 'referred', 'upload')
    const builder = { digest: digestOf('builder 1'), description: digestOf('part of a builder'), architecture: 'amd64', mkosi: '25.3' }
    await run(({ builders }) => builders.add({ ...builder, addedAt: clock.now() }, [blob('part of a builder')]))
    await run(({ blobs }) => blobs.lockInputs({ lock: digestOf('lock'), inputs: [blob('input')], at: clock.now() }))
    const between = clock.pass(1000)
    for (const text of ['of two', 'young'])
      await run(({ uploads }) => uploads.add({ ownerId: other.id, ...blob(text), createdAt: clock.now() }))
    const sweep = (before: Date, limit = 100) => run(({ uploads }) => uploads.sweep(before, limit))
    const gone = [...(await sweep(between, 2)), ...(await sweep(between)), ...(await sweep(between))]
    expect(named(gone, ...all)).toEqual(['unused', 'lock'])
    expect(gone).toHaveLength(2)
    expect(await known(...all)).toEqual(['of two', 'referred', 'input', 'part of a builder', 'young'])
    expect(await run(({ uploads }) => uploads.find(owner.id, digestOf('referred')))).toBeUndefined()
    expect(await run(({ uploads }) => uploads.find(other.id, digestOf('of two')))).toBeDefined()
    expect(named(await sweep(clock.pass(1000)), ...all)).toEqual(['of two', 'young'])
    // What was kept by a lock alone is collected, a builder's part never.
    expect(named(await collect(), ...all)).toEqual(['input'])
    await cancelVerification(ports, id)
    expect(named(await collect(), ...all)).toEqual(['referred'])
    expect(named(await collect(), ...all)).toEqual([])
    expect(await known(...all)).toEqual(['part of a builder'])
  })

  it('stay where an upload is swept while a verification takes it', async () => {
    await run(({ uploads }) => uploads.add({ ownerId: owner.id, ...blob('taken'), createdAt: clock.now() }))
    const id = await open()
    const before = clock.pass(1000)
    // On one connection the two come one after the other, on a server at once.
    const [, swept] = await Promise.all([
      run(async ({ uploads, blobs }) => {
        if ((await uploads.find(owner.id, digestOf('taken'))) === undefined) throw new Error('swept before')
        await blobs.refer({ ...blob('taken'), verificationId: id, role: 'upload', at: clock.now() })
      }),
      run(({ uploads }) => uploads.sweep(before, 100)),
    ])
    expect(swept).toEqual([])
    expect(await run(({ uploads }) => uploads.sweep(before, 100))).toEqual([])
    expect(await known('taken')).toEqual(['taken'])
    await cancelVerification(ports, id)
  })

  it('of a builder are kept with it, and it is written once', async () => {
    const parts = ['description', 'layer'].map((text) => blob(`${text} of a builder`))
    const [description] = parts
    if (description === undefined) throw new Error('none')
    const builder = { digest: digestOf('a builder'), description: description.sha256, architecture: 'arm64', mkosi: '25.3' }
    const first = { ...builder, addedAt: clock.pass(1000) }
    await run(({ builders }) => builders.add(first, parts))
    await run(({ builders }) => builders.add({ ...builder, mkosi: 'another', addedAt: clock.pass(1000) }, parts))
    expect(await store.reads.builders.find(first.digest)).toEqual(first)
    expect(await store.reads.builders.find(digestOf('no builder'))).toBeUndefined()
    const second = { ...builder, digest: digestOf('a newer builder'), addedAt: clock.pass(1000) }
    await run(({ builders }) => builders.add(second, parts))
    const page = await store.reads.builders.page({ cursor: null, limit: 1 })
    expect(page.items).toEqual([second])
    expect((await store.reads.builders.page({ cursor: page.next, limit: 1 })).items).toEqual([first])
    expect(named(await collect(), 'description of a builder', 'layer of a builder')).toEqual([])
  })
})
