import { mkdtemp, readdir, rename, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MAX_TRIES } from '../src/app/lifecycle/attempt-state.ts'
import { acceptVerification } from '../src/app/service/accept-verification.ts'
import { cancelVerification, decide } from '../src/app/service/end-verification.ts'
import { GRACE_MS, Housekeeping, type HousekeepingPorts, keepHouse } from '../src/app/service/housekeeping.ts'
import { repairJobs } from '../src/app/service/repair-jobs.ts'
import { reportAttempt } from '../src/app/service/report-attempt.ts'
import type { Cursor } from '../src/app/store/page.ts'
import type { BlobRole, Owner, Worker } from '../src/app/store/records.ts'
import type { Unit } from '../src/app/store/store-ports.ts'
import { type LocalBlobs, openBlobFolder } from '../src/storage/blob-folder.ts'
import { BroughtBlobs } from '../src/storage/brought-blobs.ts'
import { StoreRoom } from '../src/store-room.ts'
import { oneChunk } from '../verifier/bytes/one-chunk.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { Failure } from '../verifier/model/failure.ts'
import { hurry, loseWorkers, takeAll } from './queued.ts'
import {
  acceptPrepared,
  addOwner,
  addWorker,
  Clock,
  commandOf,
  decisionOf,
  digestOf,
  leaseAny,
  mustLease,
  newId,
  reportOf,
  submissionOf,
} from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

const HOUR = 3600_000
const DAY = 24 * HOUR
const never = new AbortController().signal

describe.each(databases())('a coordinator on %s', (kind) => {
  const clock = new Clock()
  let folder: string
  let place: EmptyDatabase
  let store: StoreRoom
  let blobs: LocalBlobs
  let brought: BroughtBlobs
  let owner: Owner
  let worker: Worker
  let ports: HousekeepingPorts
  const told: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-housekeeping-'))
    brought = new BroughtBlobs(path.join(folder, 'blobs'))
    blobs = await openBlobFolder(path.join(folder, 'blobs'), brought)
    place = await emptyDatabase(kind)
    store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    owner = await addOwner(store, 'alice', clock.now())
    worker = await addWorker(store, 'one', clock.now())
    ports = {
      unitOfWork: store.unitOfWork,
      now: clock.now,
      newId,
      retention: { uploadsMs: DAY, recordsMs: 90 * DAY, artifactsMs: 14 * DAY },
      removeBytes: (sha256, idleMs) => blobs.remove(sha256, idleMs),
      settleBrought: (o, look) => brought.settle(o, look),
      events: {
        housekept: ({ what, count }) => void told.push(`${what} ${count}`),
        trouble: ({ where, error }) => void told.push(`${where}: ${error instanceof Failure ? error.code : String(error)}`),
      },
    }
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  let made = 0
  const source = () => {
    made += 1
    return { kind: 'git', url: `https://git.example/${made}`, commit: 'a'.repeat(40), path: '.' } as const
  }
  const accept = async (): Promise<string> =>
    (await acceptVerification(ports, commandOf(submissionOf(owner.id, { source: source() })))).verificationId
  const running = (attempts = 1): Promise<string> => acceptPrepared(ports, submissionOf(owner.id, { source: source(), attempts }))
  const build = async (): Promise<void> => {
    const { attempt, lease } = await mustLease(ports, worker)
    const said = { attemptId: attempt.id, lease, worker: worker.id, digest: digestOf(lease) }
    await reportAttempt(ports, { ...said, report: reportOf(attempt.number, 'built') })
  }
  /** A blob whose bytes nobody put for long, as a part of a verification. */
  const blob = async (text: string, verificationId: string, role: BlobRole): Promise<Sha256> => {
    const { sha256, size } = await blobs.put(oneChunk(text))
    await grown(sha256)
    await store.unitOfWork.run((unit) => unit.blobs.refer({ sha256, size, verificationId, role, at: clock.now() }))
    return sha256
  }
  const grown = async (sha256: Sha256): Promise<void> => {
    const then = (Date.now() - 2 * GRACE_MS) / 1000
    await utimes(path.join(folder, 'blobs', 'sha256', sha256.slice(0, 2), sha256), then, then)
  }
  /** Lets hours pass since blobs were brought. */
  const hoursPass = async (hours: number): Promise<void> => {
    const place = path.join(folder, 'blobs', 'brought')
    for (const hour of (await readdir(place)).toSorted()) await rename(path.join(place, hour), path.join(place, `${Number(hour) - hours}`))
  }
  const finished = async (statements: readonly string[] = []): Promise<string> => {
    const id = await running()
    await build()
    await takeAll(store, 'decision')
    const report = await blob(`report of ${id}`, id, 'report')
    await decide(ports, id, decisionOf({ verdict: 'mismatch', tier: null, statements, report, blobs: [], artifacts: [] }))
    return id
  }
  /** Lets the time pass that lies between forgetting a blob and removing its bytes. */
  const grace = () => store.database.drizzle.execute(sql`update forgotten_blobs set since = since - interval '1 day'`)
  const house = (change: Partial<HousekeepingPorts> = {}) => new Housekeeping({ ...ports, ...change })
  const isThere = async (sha256: Sha256): Promise<boolean> => (await blobs.size(sha256)) !== undefined
  const known = async (...digests: Sha256[]): Promise<boolean[]> => {
    const found = await store.reads.blobs.known(digests)
    return digests.map((sha256) => found.has(sha256))
  }

  describe('at its start', () => {
    it('gives everything that is open the job that leads on, where that is gone', async () => {
      const signed = await finished(['p'])
      const accepted = await accept()
      const queued = await running(2)
      const [queuedAttempt] = await store.reads.attempts.of(queued)
      const leased = await mustLease(ports, worker)
      const decided = await running()
      await build()
      const cancelled = await accept()
      await cancelVerification(ports, cancelled)
      expect(leased.attempt.id).toBe(queuedAttempt?.id)
      expect(await repairJobs({ ...ports, reads: store.reads })).toBe(0)
      await store.database.drizzle.execute(sql`delete from queue.job`)
      expect(await repairJobs({ ...ports, reads: store.reads })).toBe(4)
      expect(await repairJobs({ ...ports, reads: store.reads })).toBe(0)
      expect(await takeAll(store, 'preparation')).toEqual([{ verificationId: accepted }])
      expect(await takeAll(store, 'decision')).toEqual([{ verificationId: decided }])
      expect(await takeAll(store, 'signing')).toEqual([{ verificationId: signed, predicateType: 'p' }])
      // Nobody knows whether its worker is alive: it is tried again.
      const again = await leaseAny(ports, worker)
      expect(again).toMatchObject({ attempt: { id: leased.attempt.id, life: { tries: 2 } } })
      for (const id of [accepted, queued, decided]) await cancelVerification(ports, id)
    })
  })

  describe('keeping house', () => {
    it('ends attempts of which the queue has given up', async () => {
      const id = await running()
      for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
        await hurry(store)
        await mustLease(ports, worker)
        await loseWorkers(store)
      }
      await house().giveUp(never)
      expect((await store.reads.attempts.of(id)).map(({ life }) => life)).toMatchObject([{ state: 'committed', outcome: 'infrastructure' }])
      expect(await takeAll(store, 'decision')).toEqual([{ verificationId: id }])
      await cancelVerification(ports, id)
    })

    it('lets go of bytes of what was built long before the records of it, and never of what was attested', async () => {
      const plain = await finished()
      const attested = await finished(['p'])
      const [artifact, other] = [await blob('artifact', plain, 'artifact'), await blob('other artifact', attested, 'artifact')]
      const [log, signedLog] = [await blob('log', plain, 'log'), await blob('signed log', attested, 'log')]
      const unsigned = await finished(['p'])
      const waitingLog = await blob('log of what is yet to be signed', unsigned, 'log')
      const bundle = await blob('bundle', attested, 'bundle')
      await store.unitOfWork.run(({ attestations }) =>
        attestations.publish({
          id: newId(),
          verificationId: attested,
          predicateType: 'p',
          bundle,
          signer: 'key',
          createdAt: clock.now(),
        }),
      )
      const keeper = house()
      await keeper.round(never)
      expect(await known(artifact, other, log, signedLog, bundle)).toEqual([true, true, true, true, true])
      clock.pass(15 * DAY)
      await keeper.round(never)
      expect(await known(artifact, other, log, signedLog, bundle)).toEqual([false, false, true, true, true])
      // Their bytes stay for a while: somebody may be about to need them.
      expect(await Promise.all([artifact, other].map(isThere))).toEqual([true, true])
      await grace()
      await keeper.round(never)
      expect(await Promise.all([artifact, other, log, signedLog].map(isThere))).toEqual([false, false, true, true])
      clock.pass(90 * DAY)
      await keeper.round(never)
      await grace()
      await keeper.round(never)
      expect(await Promise.all([log, signedLog, waitingLog, bundle].map(isThere))).toEqual([false, true, true, true])
      expect(told.splice(0).filter((one) => one.includes(':'))).toEqual([])
    })

    it('sweeps uploads that nobody used, and keys that have expired', async () => {
      const { sha256, size } = await blobs.put(oneChunk('uploaded'))
      await grown(sha256)
      await store.unitOfWork.run(async ({ uploads }) => {
        await uploads.add({ ownerId: owner.id, sha256, size, createdAt: clock.now() })
        await uploads.receive({ id: newId(), ownerId: owner.id, bytes: size, at: clock.now() })
      })
      const submission = submissionOf(owner.id, { source: source() })
      const { verificationId } = await acceptVerification(
        ports,
        commandOf(submission, { key: 'k', requestDigest: digestOf('r'), hours: 24 }),
      )
      clock.pass(DAY + 1)
      await house().round(never)
      await grace()
      await house().round(never)
      expect(await isThere(sha256)).toBe(false)
      expect(told.splice(0)).toEqual(expect.arrayContaining(['uploads 1', 'received-uploads 1', 'idempotency-keys 1']))
      await cancelVerification(ports, verificationId)
    })

    it('keeps what somebody noted, or only put, after it was forgotten', async () => {
      const id = await finished()
      const texts = ['noted again', 'put again', 'nobody’s']
      const digests: Sha256[] = []
      for (const text of texts) digests.push(await blob(text, id, 'artifact'))
      const [noted = digestOf(''), put = digestOf(''), nobodys = digestOf('')] = digests
      await store.unitOfWork.run((unit) => unit.blobs.release({ verificationId: id, role: 'artifact' }))
      expect(await known(...digests)).toEqual([false, false, false])
      await grace()
      await store.unitOfWork.run((unit) => unit.blobs.refer({ sha256: noted, size: 1, verificationId: id, role: 'log', at: clock.now() }))
      await blobs.put(oneChunk('put again'))
      await house().round(never)
      expect(await Promise.all([noted, put, nobodys].map(isThere))).toEqual([true, true, false])
      // It was only put: once nobody did for long, it goes as well.
      await grown(put)
      await house().round(never)
      expect(await isThere(put)).toBe(true)
      await grace()
      await house().round(never)
      expect(await Promise.all([noted, put].map(isThere))).toEqual([true, false])
      told.splice(0)
    })

    it('lets go of bytes that nobody noted, once nobody can be about to', async () => {
      const id = await finished()
      const put = async (text: string): Promise<Sha256> => (await blobs.put(oneChunk(text))).sha256
      const note = (sha256: Sha256) =>
        store.unitOfWork.run((unit) => unit.blobs.refer({ sha256, size: 1, verificationId: id, role: 'log', at: clock.now() }))
      const digests = [await put('never noted'), await put('noted'), await put('noted at last')]
      const [unnoted = digestOf(''), noted = digestOf(''), atLast = digestOf('')] = digests
      await note(noted)
      await hoursPass(5)
      const lately = await put('brought lately')
      await house().round(never)
      await grace()
      await house().round(never)
      expect(await Promise.all([...digests, lately].map(isThere))).toEqual([true, true, true, true])
      await hoursPass(3)
      await house().round(never)
      expect(await Promise.all([...digests, lately].map(isThere))).toEqual([true, true, true, true])
      await note(atLast)
      for (const sha256 of digests) await grown(sha256)
      await grace()
      await house().round(never)
      expect(await Promise.all([unnoted, noted, atLast, lately].map(isThere))).toEqual([false, true, true, true])
      told.splice(0)
    })

    it('goes on where it was killed between the row and the bytes', async () => {
      const id = await finished()
      const artifact = await blob('killed', id, 'artifact')
      await store.unitOfWork.run((unit) => unit.blobs.release({ verificationId: id, role: 'artifact' }))
      await grace()
      const killed = new Error('killed')
      await house({ removeBytes: () => Promise.reject(killed) }).round(never)
      expect(told.splice(0)).toContain('housekeeping blobs: Error: killed')
      // The bytes went, and nobody could say so any more.
      await blobs.remove(artifact, 0)
      await house().round(never)
      expect(told.splice(0)).toContain('blobs 1')
    })

    it('collects what was noted and never needed, page by page', async () => {
      const digests: Sha256[] = []
      for (let number = 0; number < 7; number += 1) digests.push((await blobs.put(oneChunk(`noted ${number}`))).sha256)
      for (const sha256 of digests) {
        await store.unitOfWork.run((unit) => unit.blobs.keep([{ sha256, size: 7 }], clock.now()))
        clock.pass(1)
      }
      await house().round(never)
      expect(await known(...digests)).toEqual(digests.map(() => true))
      clock.pass(7 * HOUR)
      let after: Cursor | null = null
      const gone: Sha256[] = []
      const before = clock.now()
      do {
        const o: Parameters<Unit['blobs']['collect']>[0] = { endedBefore: new Date(0), notedBefore: before, after, limit: 3 }
        const page: { gone: readonly Sha256[]; next: Cursor | null } = await store.unitOfWork.run((unit) => unit.blobs.collect(o))
        gone.push(...page.gone)
        after = page.next
      } while (after !== null)
      expect(digests.filter((sha256) => !gone.includes(sha256))).toEqual([])
    })

    it('tells what fails, does the rest, and ends when it is told to', async () => {
      const stop = new AbortController()
      const full = new Failure({ code: 'blob-folder-unusable', message: 'm', hint: 'h', audience: 'operator' })
      const id = await finished()
      await blob('failing', id, 'artifact')
      await store.unitOfWork.run((unit) => unit.blobs.release({ verificationId: id, role: 'artifact' }))
      await grace()
      const removeBytes: HousekeepingPorts['removeBytes'] = async () => {
        stop.abort()
        throw full
      }
      await keepHouse({ ...ports, removeBytes }, stop.signal)
      expect(told.splice(0)).toContain('housekeeping blobs: blob-folder-unusable')
    })
  })
})
