import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { currentBuilder } from '../src/app/service/current-builder.ts'
import { decide } from '../src/app/service/end-verification.ts'
import { reportAttempt } from '../src/app/service/report-attempt.ts'
import type { Owner, Submission, Worker } from '../src/app/store/records.ts'
import { StoreRoom } from '../src/store-room.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { acceptPrepared, addOwner, addWorker, Clock, decisionOf, digestOf, mustLease, portsOf, reportOf, submissionOf } from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

describe.each(databases())('the builder of those who name none, on %s', (kind) => {
  const clock = new Clock()
  let place: EmptyDatabase
  let store: StoreRoom
  let owner: Owner
  let [remote, inside]: Worker[] = []

  beforeAll(async () => {
    place = await emptyDatabase(kind)
    store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    owner = await addOwner(store, 'alice', clock.now())
    remote = await addWorker(store, 'remote', clock.now())
    inside = await addWorker(store, 'inside', clock.now(), { place: 'in-process' })
    for (const name of ['old', 'new', 'arm']) await know(name)
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  const know = async (name: string): Promise<Sha256> => {
    const [digest, description] = [digestOf(name), digestOf(`description of ${name}`)]
    const builder = { digest, description, architecture: name === 'arm' ? 'arm64' : 'amd64', mkosi: '25.3', addedAt: clock.now() }
    await store.unitOfWork.run(({ builders }) => builders.add(builder, [{ sha256: description, size: 1 }]))
    return digest
  }
  let made = 0
  const built = async (name: string, change: Partial<Submission> = {}): Promise<void> => {
    const ports = portsOf(store, clock)
    made += 1
    const source = { kind: 'git', url: `https://git.example/${made}`, commit: 'a'.repeat(40), path: '.' } as const
    const id = await acceptPrepared(ports, submissionOf(owner.id, { source, attempts: 1, ...change }))
    const { attempt, lease } = await mustLease(ports, remote ?? { id: '' })
    const said = { attemptId: attempt.id, lease, worker: remote?.id ?? '', digest: digestOf(lease) }
    await reportAttempt(ports, { ...said, report: reportOf(1, 'built') })
    clock.pass(1000)
    await decide(ports, id, decisionOf({ builder: digestOf(name), statements: [] }))
  }
  const seen = (worker: Worker | undefined, ...names: string[]) =>
    store.unitOfWork.run(({ workers }) =>
      workers.seen(worker?.id ?? '', {
        capabilities: { architecture: 'amd64', builders: names.map(digestOf), isolation: 'shared-kernel' },
        now: clock.now(),
      }),
    )
  const current = (o: { allowed?: string[]; trusted?: boolean; architecture?: string; ofToday?: boolean } = {}) =>
    currentBuilder(
      {
        reads: store.reads,
        now: clock.now,
        allowedBuilders: (o.allowed ?? []).map(digestOf),
        isOfToday: async () => o.ofToday ?? true,
      },
      { architecture: o.architecture ?? 'amd64', trusted: o.trusted ?? true },
    )

  it('is not known before one of them was built', async () => {
    expect(await current()).toBeNull()
    await built('old', { builder: digestOf('old') })
    expect(await current()).toBeNull()
  })

  it('is the first that the operator allows and that there is for the architecture', async () => {
    expect(await current({ allowed: ['arm', 'new', 'old'] })).toBe(digestOf('new'))
    expect(await current({ allowed: ['arm', 'new'], architecture: 'arm64' })).toBe(digestOf('arm'))
  })

  it('is the one that a worker chose last, for the same kind of owners and architecture', async () => {
    await built('old')
    expect(await current()).toBe(digestOf('old'))
    expect(await current({ trusted: false })).toBeNull()
    expect(await current({ architecture: 'arm64' })).toBeNull()
    await built('new')
    await built('old', { builder: digestOf('old') })
    expect(await current()).toBe(digestOf('new'))
  })

  it('is none where this program would have another made', async () => {
    expect(await current({ ofToday: false })).toBeNull()
  })

  it('is none where a worker that could take it would take another one now', async () => {
    await seen(remote, 'new', 'never built in')
    expect(await current()).toBe(digestOf('new'))
    await seen(remote, 'old', 'new')
    expect(await current()).toBeNull()
    await seen(remote, 'just made', 'new')
    expect(await current()).toBeNull()
    await know('just made')
    await built('just made')
    expect(await current()).toBe(digestOf('just made'))
    await seen(inside, 'made inside', 'just made')
    expect(await current()).toBeNull()
    // It takes no source of a stranger.
    await built('just made', { trusted: false })
    expect(await current({ trusted: false })).toBe(digestOf('just made'))
    // Who is not heard of any more takes nothing.
    clock.pass(3_600_000)
    expect(await current()).toBe(digestOf('just made'))
  })
})
