import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acceptVerification, type ServicePorts } from '../src/app/service/accept-verification.ts'
import { cancelVerification, decide, type StoredDecision } from '../src/app/service/end-verification.ts'
import { reportAttempt } from '../src/app/service/report-attempt.ts'
import type { Owner, Prepared, Submission, Worker } from '../src/app/store/records.ts'
import { StoreRoom } from '../src/store-room.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { halfStates } from './half-states.ts'
import {
  acceptPrepared,
  addOwner,
  addWorker,
  Clock,
  commandOf,
  decisionOf,
  digestOf,
  mustLease,
  portsOf,
  preparedOf,
  reportOf,
  submissionOf,
} from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

describe.each(databases())('what is known about a digest, on %s', (kind) => {
  const clock = new Clock()
  let place: EmptyDatabase
  let store: StoreRoom
  let ports: ServicePorts
  let [alice, mallory]: Owner[] = []
  let worker: Worker

  beforeAll(async () => {
    place = await emptyDatabase(kind)
    store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    ports = portsOf(store, clock)
    alice = await addOwner(store, 'alice', clock.now())
    mallory = await addOwner(store, 'mallory', clock.now())
    worker = await addWorker(store, 'one', clock.now())
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  const url = 'https://git.example/app'
  const git = (change: object = {}) => ({ kind: 'git', url, commit: 'main', path: '.', ...change }) as const
  const claim = (sha256: Sha256, change: object = {}) => ({ kind: 'file', name: null, sha256, location: null, ...change }) as const
  type Ended = {
    of?: Owner | undefined
    submission?: Partial<Submission>
    pinned?: Partial<Prepared['pinned']>
    decision?: Partial<StoredDecision>
  }
  /** A verification that claims the digest and got its verdict. */
  const ended = async (sha256: Sha256, { of = alice, submission = {}, pinned = {}, decision = {} }: Ended = {}): Promise<string> => {
    const asked = submissionOf(of?.id ?? '', { source: git(), attempts: 1, claims: [claim(sha256)], ...submission })
    const prepared = preparedOf(asked)
    const id = await acceptPrepared(ports, asked, { pinned: { ...prepared.pinned, ...pinned } as Prepared['pinned'] })
    const { attempt, lease } = await mustLease(ports, worker)
    const said = { attemptId: attempt.id, lease, worker: worker.id, digest: digestOf(lease) }
    await reportAttempt(ports, { ...said, report: reportOf(1, 'built') })
    clock.pass(1000)
    await decide(ports, id, decisionOf({ artifacts: [], statements: [], ...decision }))
    return id
  }
  const known = async (sha256: Sha256, of?: { source: string | null; owner: string | null }) =>
    (await store.reads.verifications.known(sha256, { cursor: null, limit: 50 }, of)).items
  const MISMATCH = { verdict: 'mismatch', tier: null } as const
  const UNDECIDED = { verdict: 'undecided', tier: null } as const

  it('is told once for each source, claims and owner, by the newest verdict, the newest first', async () => {
    const sha256 = digestOf('told once')
    const started = clock.now()
    const first = await ended(sha256, { decision: MISMATCH })
    const theirs = await ended(sha256, { of: mallory, decision: MISMATCH })
    const second = await ended(sha256)
    const items = await known(sha256)
    expect(items.map(({ verification, count }) => [verification.id, count])).toEqual([
      [second, 2],
      [theirs, 1],
    ])
    const [own] = items
    expect(own).toMatchObject({ firstAt: new Date(started.getTime() + 1000), subjects: [{ sha256, kind: 'claim', name: 'file' }] })
    const history = async (limit: number, cursor: string | null = null): Promise<string[]> => {
      const page = await store.reads.verifications.knownBy(sha256, own?.key ?? sha256, { cursor, limit })
      const ids = page.items.map(({ id }) => id)
      return page.next === null ? ids : [...ids, ...(await history(limit, page.next))]
    }
    expect([await history(50), await history(1)]).toEqual([
      [second, first],
      [second, first],
    ])
    expect((await store.reads.verifications.knownBy(digestOf('else'), own?.key ?? sha256, { cursor: null, limit: 9 })).items).toEqual([])
    expect((await known(sha256, { source: null, owner: mallory?.id ?? '' })).map(({ verification }) => verification.id)).toEqual([theirs])
    expect((await known(sha256, { source: url, owner: alice?.id ?? '' })).map(({ verification }) => verification.id)).toEqual([second])
    expect(await known(sha256, { source: 'https://git.example/other', owner: null })).toEqual([])
  })

  it('is told apart by commit, folder, repository and what else is claimed, not by the branch or where the bytes are', async () => {
    const sha256 = digestOf('told apart')
    const same = [
      await ended(sha256),
      await ended(sha256, { pinned: { ref: 'refs/heads/main' } }),
      await ended(sha256, {
        submission: { source: git({ commit: 'v1' }) },
        pinned: { treeDigest: digestOf(`tree of ${JSON.stringify(git())}`) },
      }),
      await ended(sha256, { submission: { claims: [claim(sha256, { location: 'https://example.org/a' })], attempts: 1 } }),
    ]
    const others = [
      await ended(sha256, { pinned: { commit: 'b'.repeat(40) } }),
      await ended(sha256, { pinned: { path: 'image' } }),
      await ended(sha256, { submission: { source: git({ url: `${url}/fork` }) } }),
      await ended(sha256, { submission: { claims: [claim(sha256, { name: 'image.tar' })] } }),
      await ended(sha256, { submission: { claims: [claim(sha256), claim(digestOf('another'))] } }),
      await ended(sha256, {
        submission: { claims: [claim(digestOf('another'))] },
        decision: { artifacts: [{ sha256, kind: 'artifact', name: 'a' }] },
      }),
    ]
    const items = await known(sha256)
    expect(items.map(({ verification, count }) => [verification.id, count])).toEqual([
      ...others.toReversed().map((id) => [id, 1]),
      [same.at(-1), same.length],
    ])
    expect(new Set(items.map(({ key }) => key)).size).toBe(items.length)
    // In whichever order the same is claimed.
    const two = [claim(digestOf('another')), claim(sha256)]
    await ended(sha256, { submission: { claims: two } })
    expect((await known(sha256))[0]).toMatchObject({ count: 2 })
  })

  it('is not taken back by one that could not find out', async () => {
    const sha256 = digestOf('not taken back')
    const undecided = await ended(sha256, { decision: UNDECIDED })
    expect((await known(sha256)).map(({ verification }) => verification.id)).toEqual([undecided])
    const reproduced = await ended(sha256)
    await ended(sha256, { decision: UNDECIDED })
    expect((await known(sha256)).map(({ verification, count }) => [verification.id, count])).toEqual([[reproduced, 3]])
  })

  it('begins with a verdict, and is nothing of what was cancelled', async () => {
    const sha256 = digestOf('begins')
    const { verificationId } = await acceptVerification(
      ports,
      commandOf(submissionOf(alice?.id ?? '', { source: git(), claims: [claim(sha256)] })),
    )
    expect(await known(sha256)).toEqual([])
    await cancelVerification(ports, verificationId)
    expect(await known(sha256)).toEqual([])
    // Where nothing was ever pinned it is known by what was asked for.
    const { verificationId: unpinned } = await acceptVerification(
      ports,
      commandOf(submissionOf(alice?.id ?? '', { source: git(), claims: [claim(sha256)] })),
    )
    await decide(ports, unpinned, decisionOf({ ...UNDECIDED, report: null, blobs: [], artifacts: [], builder: null }))
    expect((await known(sha256)).map(({ verification }) => verification.id)).toEqual([unpinned])
  })

  it('comes in pages, however many there are', async () => {
    const sha256 = digestOf('pages')
    const ids: string[] = []
    for (let number = 0; number < 5; number += 1) ids.push(await ended(sha256, { pinned: { commit: `${number}`.repeat(40) } }))
    const walk = async (cursor: string | null): Promise<string[]> => {
      const page = await store.reads.verifications.known(sha256, { cursor, limit: 2 })
      const found = page.items.map(({ verification }) => verification.id)
      return page.next === null ? found : [...found, ...(await walk(page.next))]
    }
    expect(await walk(null)).toEqual(ids.toReversed())
  })

  it('is there with the verdict, or not at all', async () => {
    expect((await halfStates(store)).filter((what) => what.startsWith('a verdict that is not known'))).toEqual([])
  })
})
