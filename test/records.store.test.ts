import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acceptVerification, type ServicePorts } from '../src/app/service/accept-verification.ts'
import { cancelVerification, decide } from '../src/app/service/end-verification.ts'
import { reportAttempt } from '../src/app/service/report-attempt.ts'
import type { Page } from '../src/app/store/page.ts'
import type { Owner, Worker } from '../src/app/store/records.ts'
import type { Unit, VerificationFilter } from '../src/app/store/store-ports.ts'
import { StoreRoom } from '../src/store-room.ts'
import {
  acceptPrepared,
  addOwner,
  addWorker,
  bringUploads,
  Clock,
  collectAll,
  commandOf,
  decisionOf,
  digestOf,
  mustLease,
  newId,
  portsOf,
  reportOf,
  submissionOf,
} from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

const ANY: VerificationFilter = { verdict: null, subject: null, source: null, builder: null, owner: null, since: null }

describe.each(databases())('records on %s', (kind) => {
  const clock = new Clock()
  let place: EmptyDatabase
  let store: StoreRoom
  let ports: ServicePorts
  let owner: Owner
  let worker: Worker

  beforeAll(async () => {
    place = await emptyDatabase(kind)
    store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    ports = portsOf(store, clock)
    owner = await addOwner(store, 'alice', clock.now())
    worker = await addWorker(store, 'one', clock.now())
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  let made = 0
  const finished = async (decision: Parameters<typeof decisionOf>[0] = {}, url = 'https://git.example/app'): Promise<string> => {
    made += 1
    const source = { kind: 'git', url, commit: made.toString(16).padStart(40, '0'), path: '.' } as const
    const verificationId = await acceptPrepared(ports, submissionOf(owner.id, { source, attempts: 1 }))
    const leased = await mustLease(ports, worker)
    await reportAttempt(ports, {
      attemptId: leased.attempt.id,
      lease: leased.lease,
      worker: worker.id,
      report: reportOf(1, 'built'),
      digest: digestOf(verificationId),
    })
    await decide(ports, verificationId, decisionOf({ statements: [], ...decision }))
    clock.pass(1)
    return verificationId
  }
  const run = <T>(work: (unit: Unit) => Promise<T>): Promise<T> => store.unitOfWork.run(work)

  it('are all there after a unit of work, or none of them, its jobs included', async () => {
    const submission = submissionOf(owner.id, { attempts: 1 })
    const id = newId()
    const stop = new Error('stop')
    await expect(
      run(async (unit) => {
        await unit.verifications.insert({ id, submission, createdAt: clock.now() })
        await unit.jobs.enqueue('attempt-amd64-trusted', { attemptId: newId() })
        throw stop
      }),
    ).rejects.toBe(stop)
    expect(await store.reads.verifications.read(id)).toBeUndefined()
    expect(await run(({ jobs }) => jobs.take('attempt-amd64-trusted'))).toBeUndefined()
  })

  it('are not reached past an open unit of work, nor by one that has ended', async () => {
    const outside = run(() => store.reads.owners.find(owner.id))
    await expect(outside).rejects.toMatchObject({ code: 'query-outside-transaction' })
    await expect(run(() => run(async () => {}))).rejects.toMatchObject({ code: 'transaction-nested' })
    const kept = await run(async (unit) => unit)
    await expect(kept.owners.find(owner.id)).rejects.toMatchObject({ code: 'transaction-ended' })
    expect(await store.reads.owners.find(owner.id)).toEqual(owner)
    // A unit that failed leaves nothing behind that the next one meets.
    expect(await run(({ owners }) => owners.find(owner.id))).toEqual(owner)
  })

  it('tell nothing of a statement that the database refuses', async () => {
    const secret = `secret\u0000of somebody`
    const failure = await run(({ owners }) =>
      owners.ensure({ id: newId(), kind: 'local', issuer: 'local', subject: secret, name: secret, createdAt: clock.now() }),
    ).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(failure).toMatchObject({ code: 'database-failed', data: { sqlstate: '22021' } })
    expect((failure as Error).cause).toBeUndefined()
    expect(`${(failure as Error).message} ${JSON.stringify(failure)}`).not.toContain('secret')
  })

  it('refuse digests that are none, whoever writes them', async () => {
    const insert = store.database.drizzle.execute(sql`insert into blobs (sha256, size, created_at) values (${'A'.repeat(64)}, 1, now())`)
    await expect(insert).rejects.toMatchObject({ cause: { code: '23514' } })
  })

  it('stay as they were: events, tries, attestations, committed attempts and verdicts', async () => {
    const id = await finished()
    await run(({ events }) => events.append(id, [{ kind: 'log', attempt: 1, at: clock.now().toISOString(), line: 'hello' }]))
    const bundle = digestOf('bundle')
    await run(async ({ attestations, blobs }) => {
      await blobs.refer({ sha256: bundle, size: 6, verificationId: id, role: 'bundle', at: clock.now() })
      await attestations.publish({ id: newId(), verificationId: id, predicateType: 'p', bundle, signer: 'key', createdAt: clock.now() })
    })
    const builder = { digest: digestOf('b'), description: bundle, architecture: 'amd64', mkosi: '25.3', addedAt: clock.now() }
    await run(({ builders }) => builders.add(builder, [{ sha256: bundle, size: 6 }]))
    const { drizzle } = store.database
    const refused: string[] = []
    for (const statement of [
      'update events set body = body',
      'delete from events',
      'truncate events',
      'update attempt_tries set reason = null',
      'delete from attempt_tries',
      'update attestations set signer = signer',
      'delete from attestations',
      'update attempts set tries = 7',
      'delete from attempts',
      `update verifications set verdict = 'mismatch', tier = null`,
      'update verifications set pinned = null',
      'delete from verifications',
      'truncate verifications cascade',
      'update builders set mkosi = mkosi',
      'delete from builders',
      'truncate builders cascade',
      'update builder_blobs set builder = builder',
      'delete from builder_blobs',
      'truncate builder_blobs',
    ])
      await drizzle.execute(sql.raw(statement)).then(
        () => refused.push(`${statement}: done`),
        (error: Error) => refused.push(String((error.cause as { code?: unknown }).code)),
      )
    expect(refused).toEqual(Array.from({ length: 19 }, () => 'BW001'))
    await expect(run(({ verifications }) => verifications.cancel(id, clock.now()))).rejects.toMatchObject({ code: 'record-final' })
    expect(await store.reads.verifications.read(id)).toMatchObject({ state: 'finished', verdict: 'reproduced' })
  })

  it('number the events of a verification without a gap, whoever adds them', async () => {
    const id = await finished()
    const line = (text: string) => ({ kind: 'log', attempt: 1, at: '2026-01-01T00:00:00.000Z', line: text }) as const
    const last = await Promise.all(
      Array.from({ length: 8 }, (_, index) => run(({ events }) => events.append(id, [line(`${index}a`), line(`${index}b`)]))),
    )
    expect(last.toSorted((a, b) => a - b)).toEqual([2, 4, 6, 8, 10, 12, 14, 16])
    const all = await store.reads.events.after(id, 0, 100)
    expect(all.map(({ seq }) => seq)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1))
    expect(await store.reads.events.after(id, 14, 1)).toEqual([{ ...all[14] }])
    const many = Array.from({ length: 2500 }, (_, index) => line(`${index}`))
    expect(await run(({ events }) => events.append(id, many))).toBe(2516)
  })

  it('are listed newest first, in pages that neither repeat nor miss one', async () => {
    const url = 'https://git.example/pages'
    const ids: string[] = []
    for (let index = 0; index < 5; index += 1) ids.unshift(await finished({}, url))
    const filter = { ...ANY, source: url }
    expect(await walk((cursor) => store.reads.verifications.page(filter, { cursor, limit: 2 }))).toEqual(ids)
    expect(await walk((cursor) => store.reads.verifications.page(filter, { cursor, limit: 200 }))).toEqual(ids)
    await expect(store.reads.verifications.page(filter, { cursor: 'rubbish', limit: 2 })).rejects.toMatchObject({
      code: 'cursor-malformed',
    })
    await expect(store.reads.verifications.page(filter, { cursor: null, limit: 0 })).rejects.toMatchObject({ code: 'page-limit' })
  })

  it('are found by verdict, builder, owner, time and digest, and by several of them', async () => {
    const url = 'https://git.example/filters'
    const [builder, digest] = [digestOf('builder of filters'), digestOf('built of filters')]
    const since = clock.pass(1000)
    const artifacts = ['a', 'b'].map((name) => ({ sha256: digest, kind: 'artifact' as const, name }))
    const mismatch = await finished({ verdict: 'mismatch', tier: null, builder, artifacts }, url)
    const reproduced = await finished({ builder, artifacts }, url)
    const found = (filter: Partial<VerificationFilter>) =>
      walk((cursor) => store.reads.verifications.page({ ...ANY, ...filter }, { cursor, limit: 1 }))
    expect(await found({ builder })).toEqual([reproduced, mismatch])
    expect(await found({ subject: digest })).toEqual([reproduced, mismatch])
    expect(await found({ subject: digest, verdict: 'mismatch' })).toEqual([mismatch])
    expect(await found({ since })).toEqual([reproduced, mismatch])
    expect(await found({ since, verdict: 'mismatch' })).toEqual([mismatch])
    expect(await found({ owner: owner.id, source: url })).toEqual([reproduced, mismatch])
    expect(await found({ subject: digest, since: clock.now() })).toEqual([])
    const known = await store.reads.verifications.known(digest, { cursor: null, limit: 10 })
    expect(known.items.map(({ verification, subjects }) => [verification.id, subjects.map(({ name }) => name)])).toEqual([
      [reproduced, ['a', 'b']],
      [mismatch, ['a', 'b']],
    ])
  })

  it('of tokens hold no secret, and end by time or by a word', async () => {
    const secret = digestOf('token')
    const token = {
      id: newId(),
      ownerId: owner.id,
      name: 'ci',
      scopes: ['submit'],
      createdAt: clock.now(),
      expiresAt: new Date(clock.now().getTime() + 1000),
      revokedAt: null,
      lastUsedAt: null,
    }
    await run(({ tokens }) => tokens.insert(token, secret))
    const noteUse = () => run(({ tokens }) => tokens.used(token.id, { now: clock.now(), since: new Date(clock.now().getTime() - 1000) }))
    await noteUse()
    const used = { ...token, lastUsedAt: clock.now() }
    clock.pass(1)
    await noteUse()
    const { tokens: reading } = store.reads
    expect(await reading.withSecret(secret, clock.now())).toEqual({ token: used, owner: await store.reads.owners.find(token.ownerId) })
    expect(await reading.withSecret(digestOf('else'), clock.now())).toBeUndefined()
    expect(await reading.page({ cursor: null, limit: 5 })).toEqual({ items: [used], next: null })
    expect(await reading.withSecret(secret, token.expiresAt)).toBeUndefined()
    const ended = { ...used, revokedAt: clock.now() }
    expect(await run(({ tokens }) => tokens.revoke(token.id, clock.now()))).toEqual(ended)
    expect(await run(({ tokens }) => tokens.revoke(token.id, clock.pass(1)))).toEqual(ended)
    expect(await run(({ tokens }) => tokens.revoke(newId(), clock.now()))).toBeUndefined()
    expect(await reading.withSecret(secret, clock.now())).toBeUndefined()
  })

  it('of owners and workers are made once', async () => {
    const same = { ...owner, id: newId(), name: 'another name' }
    expect(await run(({ owners }) => owners.ensure(same))).toEqual({ ...owner, name: 'another name' })
    expect(await run(({ owners }) => owners.ensure(owner))).toEqual(owner)
    expect(await run(({ owners }) => owners.ensure({ ...owner, id: newId() }))).toEqual(owner)
    expect(await store.reads.owners.withSubject(owner.issuer, owner.subject)).toEqual(owner)
    expect(await store.reads.owners.withSubject(owner.issuer, 'else')).toBeUndefined()
    expect(await run(({ workers }) => workers.insert({ ...worker, id: newId(), name: 'else' }))).toBe(false)
    expect(await run(({ workers }) => workers.insert({ ...worker, id: newId(), publicKey: 'else' }))).toBe(false)
    const two = await addWorker(store, 'two', clock.pass(1))
    expect((await store.reads.workers.page({ cursor: null, limit: 1 })).items).toEqual([two])
  })

  it('of attestations are one for each verdict and type, and leave the backlog', async () => {
    const id = await finished({ statements: ['p', 'q'] })
    const task = { verificationId: id, predicateType: 'p' }
    expect(await run(({ attestations }) => attestations.plan({ ...task, at: clock.now() }))).toBe(false)
    await run(({ attestations }) =>
      attestations.failed({ ...task, code: 'rekor-unreachable', nextAt: new Date(clock.now().getTime() + 5000) }),
    )
    const due = await store.reads.attestations.due(clock.now(), 10)
    expect(due.filter(({ verificationId }) => verificationId === id).map(({ predicateType }) => predicateType)).toEqual(['q'])
    const bundle = digestOf('bundle of attestations')
    const publish = () =>
      run(async ({ attestations, blobs }) => {
        await blobs.refer({ sha256: bundle, size: 6, verificationId: id, role: 'bundle', at: clock.now() })
        return await attestations.publish({ id: newId(), ...task, bundle, signer: 'key', createdAt: clock.now() })
      })
    expect(await publish()).toBe(true)
    expect(await publish()).toBe(false)
    expect(await run(({ attestations }) => attestations.plan({ ...task, at: clock.now() }))).toBe(false)
    expect(await store.reads.attestations.of(id)).toMatchObject([{ predicateType: 'p', bundle }])
    const backlog = await store.reads.attestations.backlog()
    expect(backlog).toMatchObject({ tasks: 1, oldest: expect.any(Date) })
  })

  it('of blobs go when nothing needs them, and never what an attestation refers to', async () => {
    const blob = (text: string) => ({ sha256: digestOf(text), size: text.length, role: 'log' as const })
    const [alone, shared, attested] = [blob('alone'), blob('shared'), blob('attested')]
    const report = (text: string) => ({ report: digestOf(text), blobs: [{ ...blob(text), role: 'report' as const }] })
    const plain = await finished({ ...report('r1'), blobs: [...report('r1').blobs, alone, shared, attested] })
    const signed = await finished({ ...report('r2'), blobs: [...report('r2').blobs, attested] })
    const bundle = digestOf('bundle of blobs')
    await run(async ({ attestations, blobs }) => {
      await blobs.refer({ sha256: bundle, size: 1, verificationId: signed, role: 'bundle', at: clock.now() })
      await attestations.publish({ id: newId(), verificationId: signed, predicateType: 'p', bundle, signer: 'key', createdAt: clock.now() })
    })
    const between = clock.pass(1000)
    clock.pass(1000)
    const young = await finished({ ...report('r3'), blobs: [...report('r3').blobs, shared] })
    const archive = { upload: digestOf('upload'), source: { kind: 'archive', name: 'a.tar', path: '.' } } as const
    await bringUploads(ports, submissionOf(owner.id, archive))
    const open = await acceptVerification(ports, commandOf(submissionOf(owner.id, archive)))
    const collected = new Set(await run(({ blobs }) => collectAll(blobs, between)))
    const of = async (id: string) => (await store.reads.blobs.of(id)).map(({ sha256 }) => sha256).toSorted()
    expect([alone, blob('r1')].map(({ sha256 }) => collected.has(sha256))).toEqual([true, true])
    expect([shared, attested, blob('r2'), blob('r3')].map(({ sha256 }) => collected.has(sha256))).toEqual([false, false, false, false])
    expect(await of(plain)).toEqual([shared, attested].map(({ sha256 }) => sha256).toSorted())
    expect(await of(signed)).toEqual([bundle, digestOf('r2'), attested.sha256].toSorted())
    expect(await of(young)).toEqual([shared.sha256, digestOf('r3')].toSorted())
    const later = new Date(clock.now().getTime() + 1e9)
    expect(new Set(await run(({ blobs }) => collectAll(blobs, later)))).toEqual(new Set([shared.sha256, digestOf('r3')]))
    expect(await of(open.verificationId)).toEqual([digestOf('upload')])
    await cancelVerification(ports, open.verificationId)
  })
})

/** All ids of a list, page by page. */
async function walk(page: (cursor: string | null) => Promise<Page<{ readonly id: string }>>): Promise<string[]> {
  const ids: string[] = []
  for (let cursor: string | null = null, pages = 0; pages < 100; pages += 1) {
    const { items, next } = await page(cursor)
    ids.push(...items.map(({ id }) => id))
    if (next === null) return ids
    cursor = next
  }
  throw new Error('a list without an end')
}
