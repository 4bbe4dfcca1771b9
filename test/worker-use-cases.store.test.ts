import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cancelVerification } from '../src/app/service/end-verification.ts'
import { JobDesk } from '../src/app/service/job-desk.ts'
import { leaseAttempt } from '../src/app/service/lease-attempt.ts'
import { LocalCoordinator } from '../src/app/service/local-coordinator.ts'
import { reportDocument } from '../src/app/service/report-document.ts'
import type { WorkerJob } from '../src/app/service/worker-protocol.ts'
import type { WorkerCapabilities } from '../src/app/store/records.ts'
import type { UnitOfWork } from '../src/app/store/store-ports.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import type { AttemptEvent } from '../verifier/model/event.ts'
import type { Finding } from '../verifier/model/finding.ts'
import { hurry } from './queued.ts'
import { Clock, digestOf } from './stored.ts'
import { databases } from './stores.ts'
import { WorkerHand } from './worker-hand.ts'
import { WorkerRoom } from './worker-room.ts'

const CAN: WorkerCapabilities = { architecture: 'amd64', builders: [], isolation: 'shared-kernel' }
const never = new AbortController().signal

describe.each(databases())('what workers may do, on %s', (kind) => {
  const clock = new Clock()
  let room: WorkerRoom
  let one: WorkerHand
  let two: WorkerHand

  beforeAll(async () => {
    room = await WorkerRoom.open(kind, { now: clock.now, blobBytes: 1 << 20, leaseBytes: 3 << 20 })
    one = await WorkerHand.make(room, 'one')
    two = await WorkerHand.make(room, 'two')
  })
  afterAll(async () => {
    await room[Symbol.asyncDispose]()
  })

  const codeOf = (doing: Promise<unknown>): Promise<unknown> =>
    doing.then(
      () => 'taken',
      (error: unknown) => (error as { code?: unknown }).code ?? error,
    )
  const whatOf = (doing: Promise<unknown>): Promise<unknown> =>
    doing.then(
      () => 'taken',
      (error: unknown) => {
        const { code, data } = error as { code?: string; data?: { what?: string } }
        return data?.what === undefined ? code : `${code} ${data.what}`
      },
    )
  const attemptsOf = (id: string) => room.store.reads.attempts.of(id)
  /** Nothing of what a test left is given to the next. */
  const drain = async (): Promise<void> => {
    await hurry(room.store)
    for (let job = await one.claim(); job !== undefined; job = await one.claim()) await one.finish(job)
  }
  const put = (hand: WorkerHand, job: WorkerJob, bytes: Uint8Array, sha256: Sha256 = digestOf(Buffer.from(bytes).toString())) =>
    hand.coordinator.give({
      attemptId: job.attempt.id,
      lease: job.lease,
      sha256,
      size: bytes.length,
      signal: never,
      bytes: async function* () {
        yield bytes
      },
    })

  describe('an attempt', () => {
    it('is given with all that it takes to build it, run twice, and kept with all that came of it', async () => {
      const id = await room.submit({ 'app.js': 'let a = 1\n' })
      const live = await one.mustClaim()
      expect(live.attempt).toMatchObject({ verificationId: id, number: 1, mode: 'live' })
      expect([live.lock, live.builder, live.retried]).toEqual([null, null, []])
      await using first = await one.prepared(live)
      expect(await one.report(live, first)).toBe('committed')
      const replay = await two.mustClaim()
      expect(replay).toMatchObject({ attempt: { verificationId: id, number: 2, mode: 'replay' }, lock: first.attempt.lock })
      // Nobody has both builder and lock but by the coordinator.
      expect(replay.builder).toEqual({ digest: first.attempt.builder, description: first.builder?.description })
      await using second = await two.prepared(replay)
      expect(await two.report(replay, second)).toBe('committed')

      const attempts = await attemptsOf(id)
      expect(attempts.map(({ report }) => report?.outcome)).toEqual(['built', 'built'])
      expect(attempts[0]?.report?.artifacts).toEqual(attempts[1]?.report?.artifacts)
      const kept = await room.store.reads.blobs.of(id)
      const roles = [...new Set(kept.map(({ role }) => role))]
      expect(roles.toSorted()).toEqual(['artifact', 'lock', 'log', 'source', 'tree-manifest'])
      for (const { sha256, size } of kept) expect(await room.blobs.size(sha256)).toBe(size)
      expect(await room.store.reads.builders.find(first.builder?.image.digest ?? digestOf(''))).toMatchObject({ mkosi: '25.3' })
    })

    it('may be one of its architecture, and a stranger’s only outside of the coordinator', async () => {
      const inside = await WorkerHand.make(room, 'inside', { place: 'in-process' })
      const id = await room.submit({ a: 'stranger' }, { submission: { trusted: false, attempts: 1 } })
      expect(await inside.claim()).toBeUndefined()
      const claim = { schema: 'bitwitness/worker-claim/v1', capabilities: { ...CAN, architecture: 's390x' }, waitSeconds: 0 } as const
      expect(await codeOf(one.coordinator.claim(claim, never))).toBe('worker-architecture-unknown')
      const other = { ...claim, capabilities: { ...CAN, architecture: 'arm64' } }
      expect(await one.coordinator.claim(other, never)).toBeUndefined()
      expect((await one.mustClaim()).attempt.verificationId).toBe(id)
      expect((await room.store.reads.workers.withKey(one.worker.publicKey))?.capabilities).toEqual(CAN)
      clock.pass(61_000)
    })

    it('is taken by who waits when it comes, and not by who went away', async () => {
      const gone = new AbortController()
      const claim = { schema: 'bitwitness/worker-claim/v1', capabilities: CAN, waitSeconds: 30 } as const
      const left = one.coordinator.claim(claim, gone.signal)
      const stays = two.coordinator.claim(claim, never)
      gone.abort()
      const id = await room.submit({ a: 'waited for' }, { submission: { attempts: 1 } })
      expect(await left).toBeUndefined()
      expect((await stays)?.attempt.verificationId).toBe(id)
      expect(await room.store.reads.attempts.tries((await attemptsOf(id))[0]?.id ?? '')).toEqual([])
      clock.pass(61_000)
    })

    it.each([
      [12_000, 2],
      [10_000, 1],
      [600_000, 100],
    ])('has a lease of %d ms, and a beat every %d s, where the operator chose that', async (leaseMs, heartbeatSeconds) => {
      const id = await room.submit({ a: `lease of ${leaseMs}` }, { submission: { attempts: 1 } })
      const ports = { ...room.ports, leaseMs }
      await using desk = await JobDesk.open({ notices: room.store.notices, take: (wanted) => leaseAttempt(ports, wanted) })
      const coordinator = new LocalCoordinator({ ...ports, desk }, one.worker)
      const job = await coordinator.claim({ schema: 'bitwitness/worker-claim/v1', capabilities: CAN, waitSeconds: 0 }, never)
      const until = (): string => new Date(clock.now().getTime() + leaseMs).toISOString()
      expect(job).toMatchObject({ attempt: { verificationId: id }, heartbeatSeconds, expiresAt: until() })
      clock.pass(leaseMs - 1)
      const beat = { schema: 'bitwitness/worker-heartbeat/v1', lease: job?.lease ?? '' } as const
      expect(await coordinator.heartbeat(job?.attempt.id ?? '', beat)).toEqual({ expiresAt: until() })
      clock.pass(leaseMs)
      expect(await codeOf(coordinator.heartbeat(job?.attempt.id ?? '', beat))).toBe('lease-expired')
      await cancelVerification(room.ports, id)
    })

    it('writes that its worker asked where that is news: not twice in ten seconds, unless it can do something else', async () => {
      const { worker } = await WorkerHand.make(room, 'asking')
      const { reads } = room.store
      const noted = () => reads.workers.withKey(worker.publicKey)
      const ask = async (capabilities: WorkerCapabilities): Promise<void> => {
        const coordinator = new LocalCoordinator(room.ports, (await noted()) ?? worker)
        await coordinator.claim({ schema: 'bitwitness/worker-claim/v1', capabilities, waitSeconds: 0 }, never)
      }
      const first = clock.now()
      await ask(CAN)
      expect(await noted()).toMatchObject({ lastSeenAt: first, capabilities: CAN })
      clock.pass(9_999)
      await ask(CAN)
      expect(await noted()).toMatchObject({ lastSeenAt: first })
      const other: WorkerCapabilities = { ...CAN, builders: [digestOf('builder')] }
      const second = clock.now()
      await ask(other)
      expect(await noted()).toMatchObject({ lastSeenAt: second, capabilities: other })
      const third = clock.pass(10_000)
      await ask(other)
      expect(await noted()).toMatchObject({ lastSeenAt: third })
    })

    it('that a worker stops is given to the next at once, and says so', async () => {
      const id = await room.submit({ a: 'stopped' }, { submission: { attempts: 1 } })
      const job = await one.mustClaim()
      await using run = await one.prepared(job)
      expect(await one.report(job, run, { outcome: 'cancelled', artifacts: [] })).toBe('queued')
      const again = await two.mustClaim()
      expect(again.attempt.verificationId).toBe(id)
      await two.finish(again)
    })
  })

  describe('a report', () => {
    it('is only its worker’s, as long as the lease lives', async () => {
      await room.submit({ a: 'mine' }, { submission: { attempts: 1 } })
      const job = await one.mustClaim()
      await using run = await one.prepared(job)
      expect(await codeOf(two.report(job, run))).toBe('lease-not-yours')
      expect(await codeOf(one.report({ ...job, lease: crypto.randomUUID() }, run))).toBe('lease-not-yours')
      const elsewhere = { ...job, attempt: { ...job.attempt, id: crypto.randomUUID() } }
      expect(await codeOf(one.report(elsewhere, run))).toBe('attempt-unknown')
      clock.pass(61_000)
      expect(await codeOf(one.report(job, run))).toBe('lease-expired')
      await drain()
    })

    it('counts once, and another one after it never', async () => {
      const id = await room.submit({ a: 'once' }, { submission: { attempts: 1 } })
      const job = await one.mustClaim()
      await using run = await one.prepared(job)
      expect(await Promise.all([one.report(job, run), one.report(job, run)])).toEqual(['committed', 'committed'])
      clock.pass(61_000)
      expect(await one.report(job, run)).toBe('committed')
      expect(await codeOf(one.report(job, run, { usage: null }))).toBe('attempt-committed')
      expect((await attemptsOf(id))[0]?.report?.usage).not.toBeNull()
    })

    it('of a worker whose key was revoked meanwhile is not taken', async () => {
      const id = await room.submit({ a: 'revoked' }, { submission: { attempts: 1 } })
      const bad = await WorkerHand.make(room, 'bad')
      const job = await bad.mustClaim()
      await using run = await bad.prepared(job)
      await room.ports.unitOfWork.run(({ workers }) => workers.revoke(bad.worker.name, clock.now()))
      expect(await codeOf(bad.report(job, run))).toBe('worker-unknown')
      expect(await codeOf(bad.claim())).toBe('worker-unknown')
      expect((await attemptsOf(id))[0]?.report).toBeNull()
      clock.pass(61_000)
      await drain()
    })

    it('is not taken before every byte that it names is there', async () => {
      await room.submit({ a: 'bytes' }, { submission: { attempts: 1 } })
      const job = await one.mustClaim()
      await using run = await one.run(job)
      expect(await codeOf(one.report(job, run))).toBe('report-blobs-missing')
      // All of it is there but one, whichever that is.
      const named = await one.coordinator.missing(job.attempt.id, {
        schema: 'bitwitness/worker-blobs/v1',
        lease: job.lease,
        digests: [run.attempt.log, run.attempt.lock, run.attempt.artifacts[0]?.treeManifest, run.attempt.artifacts[0]?.sha256].filter(
          (sha256) => sha256 !== null && sha256 !== undefined,
        ),
      })
      expect(named).toHaveLength(4)
      await one.give(job, run)
      expect(await one.report(job, run)).toBe('committed')
    })

    it('whose bytes were collected before it came is not taken', async () => {
      const id = await room.submit({ a: 'collected' }, { submission: { attempts: 1 } })
      const job = await one.mustClaim()
      await using run = await one.prepared(job)
      const { log } = run.attempt
      await room.store.database.drizzle.execute(sql`delete from blobs where sha256 = ${log}`)
      expect(await codeOf(one.report(job, run))).toBe('report-blobs-missing')
      expect((await attemptsOf(id))[0]?.life.state).toBe('leased')
      await one.give(job, run)
      expect(await one.report(job, run)).toBe('committed')
    })

    it('is about its job: number, mode, source, lock and builder', async () => {
      const id = await room.submit({ a: 'job' }, { submission: { attempts: 2 } })
      const live = await one.mustClaim()
      await using run = await one.prepared(live)
      expect(await whatOf(one.report(live, run, { number: 2 }))).toBe('report-of-another-job number')
      expect(await whatOf(one.report(live, run, { mode: 'replay' }))).toBe('report-of-another-job mode')
      expect(await whatOf(one.report(live, { ...run, treeDigest: digestOf('other') }))).toBe('report-of-another-job source')
      expect(await whatOf(one.report(live, { ...run, treeDigest: null }))).toBe('report-of-another-job source')
      expect(await whatOf(one.report(live, run, { lock: null }))).toBe('report-lock-differs none')
      expect(await whatOf(one.report(live, run, { builder: digestOf('other') }))).toBe('report-contradictory builder')
      expect(await whatOf(one.report(live, { ...run, builder: null }))).toBe('report-contradictory builder')
      expect(await one.report(live, run)).toBe('committed')

      const replay = await two.mustClaim()
      // A worker that records anew where it was to replay, or builds in a builder of its own.
      await using anew = await two.prepared({ ...replay, lock: null }, { seed: 'b' })
      expect(anew.attempt.lock).toBe(run.attempt.lock)
      await using inOther = await two.prepared({ ...replay, builder: null }, { seed: 'b' })
      expect(await codeOf(two.report(replay, inOther))).toBe('report-builder-differs')
      const otherId = await room.submit({ a: 'other job' }, { submission: { attempts: 1 } })
      const otherJob = await one.mustClaim()
      expect(otherJob.attempt.verificationId).toBe(otherId)
      await using other = await one.prepared(otherJob)
      expect(await whatOf(two.report(replay, run, { ...run.attempt, number: 2, mode: 'replay', lock: other.attempt.lock }))).toBe(
        'report-lock-differs another',
      )
      // The same words under the lease of another job.
      await using second = await two.prepared(replay)
      expect(await codeOf(one.report(otherJob, second))).toBe('report-of-another-job')
      expect(await two.report(replay, second)).toBe('committed')
      expect(await one.report(otherJob, other)).toBe('committed')
      expect((await attemptsOf(id)).map(({ life }) => life.state)).toEqual(['committed', 'committed'])
    })

    it('does not contradict itself, or the bytes that it names', async () => {
      await room.submit({ a: 'contradiction' }, { submission: { attempts: 1 } })
      const job = await one.mustClaim()
      // In a builder that nobody reported before: one that is known is what it was.
      await using run = await one.prepared(job, { seed: 'unheard of' })
      const [artifact] = run.attempt.artifacts
      if (artifact === undefined) throw new Error('nothing was built')
      const lying = (change: Partial<typeof artifact>): Promise<unknown> =>
        whatOf(one.report(job, run, { artifacts: [{ ...artifact, ...change }] }))
      expect(await lying({ size: artifact.size + 1 })).toBe('report-contradictory size')
      expect(await lying({ name: '../image.tar' })).toBe('report-contradictory artifact-name')
      expect(await lying({ name: 'image\u202e.tar' })).toBe('report-contradictory artifact-name')
      expect(await lying({ treeManifest: null })).toBe('report-contradictory tree-manifest')
      expect(await lying({ oci: null })).toBe('report-contradictory image')
      expect(await lying({ oci: { manifest: digestOf('m'), config: digestOf('c'), layer: artifact.sha256 } })).toBe(
        'report-contradictory image',
      )
      expect(await lying({ sha256: digestOf('claimed') })).toBe('report-blobs-missing')
      expect(await whatOf(one.report(job, run, { artifacts: [artifact, artifact] }))).toBe('report-contradictory artifact-name')
      expect(await whatOf(one.report(job, run, { artifacts: [] }))).toBe('report-contradictory artifacts')
      expect(await whatOf(one.report(job, run, { outcome: 'build-failed' }))).toBe('report-contradictory artifacts')
      expect(await whatOf(one.report(job, run, { outcome: 'input-differs', artifacts: [] }))).toBe('report-contradictory reason')
      const reason = { code: 'rule', message: 'a rule refuses it', data: {} }
      expect(await whatOf(one.report(job, run, { outcome: 'refused', artifacts: [], reason }))).toBe('report-contradictory outcome')
      const plain = { format: 'disk', oci: null, treeManifest: null } as const
      expect(await lying({ ...plain, written: { ...artifact.written, sha256: digestOf('claimed'), compression: 'none' } })).toBe(
        'report-contradictory written',
      )
      expect(await lying({ ...plain, treeManifest: artifact.treeManifest, written: { ...artifact.written, compression: 'xz' } })).toBe(
        'report-contradictory image',
      )
      // An image layout is no file, so no bytes would have to be there.
      const layout = { manifest: digestOf('claimed'), config: digestOf('c'), layer: null }
      expect(await lying({ format: 'oci', sha256: digestOf('claimed'), oci: layout, treeManifest: null })).toBe(
        'report-contradictory format',
      )
      expect(await whatOf(one.report(job, run, { limit: 'time' }))).toBe('report-contradictory limit')
      expect(await whatOf(one.report(job, run, { sandbox: null }))).toBe('report-contradictory outcome')
      expect(await whatOf(one.report(job, run, { lock: run.attempt.log }))).toBe('report-contradictory lock')
      const builder = run.builder
      if (builder === null) throw new Error('no builder')
      expect(await whatOf(one.report(job, { ...run, builder: { ...builder, description: run.attempt.log ?? digestOf('') } }))).toBe(
        'report-contradictory builder',
      )
      const older = { ...builder.image, mkosi: '24.1' }
      expect(await whatOf(one.report(job, { ...run, builder: { ...builder, image: older } }))).toBe('report-contradictory builder')
      const index = { kind: 'release', archive: 'debian', path: 'dists/trixie/InRelease', size: 1, codename: null } as const
      const dated = { ...index, sha256: digestOf('r'), suite: 'trixie', date: '2026-01-01T00:00:00Z', validUntil: null }
      expect(await whatOf(one.report(job, { ...run, indexes: [dated] }))).toBe('report-contradictory indexes')
      expect(await one.report(job, run)).toBe('committed')
    })

    it('adds nothing to a builder that is known, and cannot say that it is another', async () => {
      await room.submit({ a: 'known builder' }, { submission: { attempts: 2 } })
      const first = await one.mustClaim()
      await using live = await one.prepared(first)
      await one.report(first, live)
      const { builder } = live
      if (builder === null) throw new Error('no builder')
      const known = await room.store.reads.builders.find(builder.image.digest)
      const job = await two.mustClaim()
      await using run = await two.prepared(job)
      const { image } = builder
      expect(await whatOf(two.report(job, { ...run, builder: { ...builder, image: { ...image, mkosi: '27.1' } } }))).toBe(
        'report-contradictory builder',
      )
      expect(await two.report(job, { ...run, builder: { ...builder, description: digestOf('nowhere') } })).toBe('committed')
      expect(await room.store.reads.builders.find(image.digest)).toEqual(known)
      expect(await room.store.reads.blobs.toBuildFrom([digestOf('nowhere')])).toEqual(new Set())
    })

    it('is a document of this version of the protocol, and one that every parser reads alike', async () => {
      await room.submit({ a: 'document' }, { submission: { attempts: 1 } })
      const job = await one.mustClaim()
      await using run = await one.prepared(job)
      const document = reportDocument(job, run, '0.0.0')
      const send = (text: string): Promise<unknown> => codeOf(one.coordinator.report(job.attempt.id, text))
      expect(await send(document.replace('attempt-report/v1', 'attempt-report/v0'))).toBe('worker-outdated')
      expect(await send(document.replace('"lease"', '"lease": "x", "lease"'))).toBe('json-duplicate-key')
      expect(await send(document.replace('"indexes"', '"claims": [], "indexes"'))).toBe('worker-message-malformed')
      expect(await send('x')).toBe('json-malformed')
      expect(await send(document)).toBe('taken')
    })
  })

  describe('blobs', () => {
    it('are taken from who holds an attempt, as what they are, and no more of them than is kept room for', async () => {
      await room.submit({ a: 'blobs' }, { submission: { attempts: 1 } })
      const job = await one.mustClaim()
      const bytes = Buffer.from('a log')
      expect(await codeOf(put(two, job, bytes))).toBe('lease-not-yours')
      expect(await codeOf(put(one, job, bytes, digestOf('another')))).toBe('blob-differs')
      expect(await codeOf(put(one, job, Buffer.alloc((1 << 20) + 1, 'x')))).toBe('blob-too-large')
      expect(await codeOf(put(one, job, bytes))).toBe('taken')
      for (const seed of ['1', '2', '3']) expect(await codeOf(put(one, job, Buffer.alloc(900_000, seed)))).toBe('taken')
      expect(await codeOf(put(one, job, Buffer.alloc(900_000, '4')))).toBe('blobs-too-large')
      expect(await room.store.reads.blobs.known([digestOf('a log'), digestOf('another')])).toEqual(new Set([digestOf('a log')]))
      clock.pass(61_000)
      expect(await codeOf(put(one, job, bytes))).toBe('lease-expired')
      await drain()
    })

    it('are given to build from, and nothing that an attempt gave', async () => {
      const id = await room.submit({ a: 'given' }, { submission: { attempts: 2 } })
      const job = await one.mustClaim()
      await using run = await one.prepared(job)
      await one.report(job, run)
      const fetching = (sha256: Sha256 | null | undefined): Promise<unknown> =>
        codeOf(two.coordinator.fetch([sha256 ?? digestOf('none')], two.blobs, never))
      const [artifact] = run.attempt.artifacts
      // The first attempt is committed, the second one could still echo it.
      for (const secret of [run.attempt.log, artifact?.treeManifest, artifact?.sha256]) expect(await fetching(secret)).toBe('blob-missing')
      const parts = [job.source.tar, run.attempt.lock, run.builder?.description, run.builder?.image.layer.sha256]
      for (const part of parts) expect(await fetching(part)).toBe('taken')
      const kept = await room.store.reads.blobs.of(id)
      expect(kept.filter(({ role }) => role === 'artifact')).toHaveLength(1)
      await drain()
    })
  })

  describe('events', () => {
    const log = (seq: number, line: string, number = 1): AttemptEvent => ({
      kind: 'log',
      line,
      seq,
      attempt: number,
      at: clock.now().toISOString(),
    })
    const send = (hand: WorkerHand, job: WorkerJob, events: AttemptEvent[]): Promise<unknown> =>
      codeOf(hand.coordinator.events(job.attempt.id, { schema: 'bitwitness/worker-events/v1', lease: job.lease, events }))
    const linesOf = async (id: string): Promise<string[]> =>
      (await room.store.reads.events.after(id, 0, 1000)).flatMap((event) => (event.kind === 'log' ? [event.line] : []))

    it('are taken once, in order, from who holds the attempt', async () => {
      const id = await room.submit({ a: 'events' }, { submission: { attempts: 1 } })
      const job = await one.mustClaim()
      expect(await send(two, job, [log(1, 'forged')])).toBe('lease-not-yours')
      expect(await send(one, job, [log(1, 'a'), log(2, 'b')])).toBe('taken')
      expect(await send(one, job, [log(1, 'a'), log(2, 'b')])).toBe('taken')
      expect(await send(one, job, [log(2, 'b'), log(3, 'c')])).toBe('taken')
      expect(await send(one, job, [log(5, 'e')])).toBe('events-missing')
      expect(await send(one, job, [log(4, 'd'), log(6, 'f')])).toBe('worker-message-malformed')
      expect(await send(one, job, [log(4, 'of another attempt', 2)])).toBe('worker-message-malformed')
      await Promise.all([send(one, job, [log(4, 'd')]), send(one, job, [log(4, 'd')])])
      expect(await linesOf(id)).toEqual(['a', 'b', 'c', 'd'])
      // The next try numbers its own from 1.
      clock.pass(61_000)
      await hurry(room.store)
      const said = await attemptsOf(id)
      expect(said[0]?.life.state).toBe('leased')
    })

    it('show what they are, at a time at which the attempt was held', async () => {
      const id = await room.submit({ a: 'terminal' }, { submission: { attempts: 1 } })
      const job = await one.mustClaim()
      const early = { ...log(2, 'early'), at: '1999-01-01T00:00:00Z' }
      const late = { ...log(3, 'late'), at: '2999-01-01T00:00:00Z' }
      const none = { ...log(4, 'none'), at: 'noon' }
      const finding: Finding = { rule: 'x', severity: 'warn', path: null, line: null, message: 'm', evidence: [], remedy: 'r' }
      const found: AttemptEvent = { kind: 'finding', finding, seq: 1, attempt: 1, at: clock.now().toISOString() }
      expect(await send(one, job, [found])).toBe('worker-message-malformed')
      expect(await send(one, job, [log(1, `\u001b]0;title\u0007\u202egnp.exe${'x'.repeat(5000)}`), early, late, none])).toBe('taken')
      const events = await room.store.reads.events.after(id, 0, 10)
      expect(events[0]).toMatchObject({ line: expect.stringMatching(/^\\u\{1b\}\]0;title\\u\{7\}\\u\{202e\}gnp\.exex{4000}/) })
      expect(events.every((event) => event.kind !== 'log' || event.line.length <= 4096)).toBe(true)
      expect(new Set(events.map(({ at }) => at))).toEqual(new Set([clock.now().toISOString()]))
      clock.pass(61_000)
    })

    it('are not taken of what ended while they came', async () => {
      const id = await room.submit({ a: 'cancelled' }, { submission: { attempts: 1 } })
      const job = await one.mustClaim()
      const { unitOfWork } = room.ports
      const slow: UnitOfWork = {
        run: async (work) => {
          await cancelVerification(room.ports, id)
          return await unitOfWork.run(work)
        },
      }
      const coordinator = new LocalCoordinator({ ...room.ports, unitOfWork: slow }, one.worker)
      const batch = { schema: 'bitwitness/worker-events/v1', lease: job.lease, events: [log(1, 'late')] } as const
      expect(await codeOf(coordinator.events(job.attempt.id, { ...batch, events: [...batch.events] }))).toBe('attempt-committed')
      expect(await linesOf(id)).toEqual([])
    })

    it('are no more than are kept', async () => {
      const id = await room.submit({ a: 'many lines' }, { submission: { attempts: 1 } })
      const job = await one.mustClaim()
      const line = 'x'.repeat(4096)
      let said: unknown = 'taken'
      let next = 1
      for (; said === 'taken' && next < 10_000; next += said === 'taken' ? 500 : 0)
        said = await send(
          one,
          job,
          Array.from({ length: 500 }, (_, at) => log(next + at, line)),
        )
      expect([said, next]).toEqual(['events-too-many', 8001])
      // What is no line of the log is taken all the same.
      expect(await send(one, job, [{ kind: 'stage-started', stage: 'build', seq: 8001, attempt: 1, at: clock.now().toISOString() }])).toBe(
        'taken',
      )
      expect(await send(one, job, [log(8002, line)])).toBe('taken')
      expect(id).toBe(job.attempt.verificationId)
      clock.pass(61_000)
      await drain()
    })
  })
})
