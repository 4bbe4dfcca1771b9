import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { acceptVerification } from '../src/app/service/accept-verification.ts'
import { decide } from '../src/app/service/end-verification.ts'
import { reportAttempt } from '../src/app/service/report-attempt.ts'
import type { Page, PageRequest } from '../src/app/store/page.ts'
import { openBlobFolder } from '../src/storage/blob-folder.ts'
import { StoreRoom } from '../src/store-room.ts'
import type { BlobStore } from '../verifier/model/blob-store.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { findPostgres } from './postgres-cluster.ts'
import {
  acceptPrepared,
  addOwner,
  addWorker,
  Clock,
  commandOf,
  decisionOf,
  digestOf,
  mustLease,
  newId,
  portsOf,
  reportOf,
  submissionOf,
} from './stored.ts'
import { databases, emptyDatabase, onTrouble } from './stores.ts'

const quiet = { superviseSeconds: null, onTrouble } as const
const ANY = { verdict: null, subject: null, source: null, builder: null, owner: null, since: null }
const TYPE = 'https://example.org/reproduced/v1'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-backup-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const at = (...names: string[]): string => path.join(folder, ...names)
async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

/** Submits with an upload, which is in the store of blobs before the database speaks of it. */
async function submit(store: StoreRoom, blobs: BlobStore, clock: Clock, owner: { id: string }): Promise<string> {
  const text = `upload ${newId()}`
  const { sha256, size } = await blobs.put(once(text))
  await store.unitOfWork.run(({ uploads }) => uploads.add({ ownerId: owner.id, sha256, size, createdAt: clock.now() }))
  const submission = submissionOf(owner.id, { source: { kind: 'archive', name: 'app.tar', path: '.' }, upload: sha256 })
  return (await acceptVerification(portsOf(store, clock), commandOf(submission))).verificationId
}

/** One of everything: finished and signed, under way with a lease, waiting, with events, a token, a worker, a statement to sign. */
async function fill(store: StoreRoom, blobs: BlobStore): Promise<{ owner: { id: string }; clock: Clock }> {
  const clock = new Clock()
  const ports = portsOf(store, clock)
  const owner = await addOwner(store, 'alice', clock.now())
  const worker = await addWorker(store, 'one', clock.now())
  const token = {
    id: newId(),
    ownerId: owner.id,
    name: 'ci',
    scopes: ['submit'],
    createdAt: clock.now(),
    expiresAt: clock.pass(60_000),
    revokedAt: null,
    lastUsedAt: null,
  } as const
  await store.unitOfWork.run(({ tokens }) => tokens.insert(token as never, digestOf('secret')))
  for (const finished of [true, true, false]) {
    const source = { kind: 'git', url: 'https://git.example/app', commit: digestOf(newId()).slice(0, 40), path: '.' } as const
    const id = await acceptPrepared(ports, submissionOf(owner.id, { source, attempts: 1 }))
    const leased = await mustLease(ports, worker)
    await store.unitOfWork.run(({ events }) =>
      events.append(id, [{ attempt: 1, at: clock.now().toISOString(), kind: 'log', line: `built ${id}` }]),
    )
    if (!finished) continue
    await reportAttempt(ports, {
      attemptId: leased.attempt.id,
      lease: leased.lease,
      worker: worker.id,
      report: reportOf(1, 'built'),
      digest: digestOf(id),
    })
    const report = await blobs.put(once(`report ${id}`))
    await decide(ports, id, decisionOf({ report: report.sha256, blobs: [{ ...report, role: 'report' }] }))
  }
  const signed = (await store.reads.verifications.page({ ...ANY, verdict: 'reproduced' }, { limit: 1, cursor: null })).items[0]?.id ?? ''
  const bundle = await blobs.put(once('bundle'))
  await store.unitOfWork.run(async (unit) => {
    await unit.blobs.refer({ ...bundle, verificationId: signed, role: 'bundle', at: clock.now() })
    await unit.attestations.publish({
      id: newId(),
      verificationId: signed,
      predicateType: TYPE,
      bundle: bundle.sha256,
      signer: 'key',
      createdAt: clock.now(),
    })
  })
  await submit(store, blobs, clock, owner)
  return { owner, clock }
}

/** Everything that a store shows, and every blob that it refers to, read whole. */
async function contents({ reads }: StoreRoom, blobs: BlobStore) {
  const all = async <T>(page: (request: PageRequest) => Promise<Page<T>>): Promise<T[]> => {
    const items: T[] = []
    for (let cursor: PageRequest['cursor'] = null; ; ) {
      const { items: some, next } = await page({ limit: 50, cursor })
      items.push(...some)
      if (next === null) return items
      cursor = next
    }
  }
  const verifications = await all((request) => reads.verifications.page(ANY, request))
  const details = []
  for (const { id } of verifications) {
    const attempts = await reads.attempts.of(id)
    const referred = await reads.blobs.of(id)
    const held: [Sha256, number][] = []
    for (const { sha256 } of referred) held.push([sha256, Buffer.concat(await Array.fromAsync(await blobs.open(sha256))).length])
    details.push({
      id,
      attempts,
      tries: await Promise.all(attempts.map((attempt) => reads.attempts.tries(attempt.id))),
      events: await reads.events.after(id, 0, 100),
      attestations: await reads.attestations.of(id),
      referred,
      held,
    })
  }
  return {
    verifications,
    details,
    owners: await all((request) => reads.owners.page(request)),
    workers: await all((request) => reads.workers.page(request)),
    backlog: await reads.attestations.backlog(),
  }
}

/** What a restored store goes on with: verifications whose job of the first queue is taken by whoever asks, each once. Nothing here completed one. */
async function waiting(store: StoreRoom): Promise<string[]> {
  const ids: string[] = []
  for (;;) {
    const job = await store.unitOfWork.run(async ({ jobs: queue }) => {
      const taken = await queue.take('preparation')
      if (taken !== undefined) await queue.complete('preparation', taken.id)
      return taken
    })
    if (job === undefined) return ids.toSorted()
    ids.push(job.data.verificationId)
  }
}

/** As docs/operations.md says it: each file is what its name says. */
async function blobsAreWhole(blobs: string): Promise<void> {
  const check = `find sha256 -type f -printf '%f  %p\\n' | sha256sum --check --quiet`
  const { exitCode, stdout } = await execa('sh', ['-c', check], { cwd: blobs, reject: false })
  expect([exitCode, stdout]).toEqual([0, ''])
}

it('a blob that is not what its name says is found out', async () => {
  const blobs = await openBlobFolder(at('blobs'))
  await blobs.put(once('whole'))
  await blobsAreWhole(at('blobs'))
  const [digits = ''] = await readdir(at('blobs', 'sha256'))
  const [name = ''] = await readdir(at('blobs', 'sha256', digits))
  await writeFile(at('blobs', 'sha256', digits, name), 'other')
  await expect(blobsAreWhole(at('blobs'))).rejects.toThrow(/deeply equal/)
})

describe.runIf(databases().includes('postgres'))('a backup of a server', () => {
  it('is made while the service works, database first, and gives all of it back somewhere else', async () => {
    const programs = (await findPostgres()) ?? ''
    await using place = await emptyDatabase('postgres')
    await using elsewhere = await emptyDatabase('postgres')
    const blobs = await openBlobFolder(at('home', 'blobs'))
    await using store = await StoreRoom.open({ ...place, ...quiet })
    const { owner, clock } = await fill(store, blobs)
    const before = await contents(store, blobs)

    // The service goes on with its work meanwhile.
    const stop = new AbortController()
    let submitted = 0
    const working = (async () => {
      while (!stop.signal.aborted) {
        await submit(store, blobs, clock, owner)
        submitted += 1
      }
    })()
    await execa(path.join(programs, 'pg_dump'), ['--format=custom', `--file=${at('dump')}`, place.url?.reveal() ?? ''])
    await cp(at('home', 'blobs'), at('restored', 'blobs'), { recursive: true, filter: (file) => !file.endsWith('/tmp') })
    stop.abort()
    await working

    await execa(path.join(programs, 'pg_restore'), ['--exit-on-error', '--no-owner', `--dbname=${elsewhere.url?.reveal()}`, at('dump')])
    await blobsAreWhole(at('restored', 'blobs'))
    const copied = await openBlobFolder(at('restored', 'blobs'))
    await using restored = await StoreRoom.open({ ...elsewhere, ...quiet })
    // Every blob that the dump names is there: `contents` reads them.
    const after = await contents(restored, copied)
    expect(submitted).toBeGreaterThan(0)
    const known = new Set(before.verifications.map(({ id }) => id))
    expect(after.verifications.filter(({ id }) => known.has(id))).toEqual(before.verifications)
    expect(after.details.filter(({ id }) => known.has(id))).toEqual(before.details)
    expect({ ...after, verifications: [], details: [] }).toEqual({ ...before, verifications: [], details: [] })
    expect(await waiting(restored)).toEqual(after.verifications.map(({ id }) => id).toSorted())
    const { id } = before.verifications.find(({ state }) => state === 'finished') ?? { id: '' }
    await expect(
      restored.database.drizzle.execute(`update verifications set verdict = 'mismatch' where id = '${id}'`),
    ).rejects.toMatchObject({
      cause: { code: 'BW001' },
    })
  })
})

describe('a backup of a home with the embedded database', () => {
  it('is a copy of the home while nothing runs, and gives all of it back', async () => {
    const blobs = await openBlobFolder(at('home', 'blobs'))
    const place = { url: null, folder: at('home', 'db') }
    const before = await (async () => {
      await using store = await StoreRoom.open({ ...place, ...quiet })
      await fill(store, blobs)
      return await contents(store, blobs)
    })()
    await cp(at('home'), at('restored'), { recursive: true })
    await rm(at('home'), { recursive: true })
    await blobsAreWhole(at('restored', 'blobs'))
    await using restored = await StoreRoom.open({ url: null, folder: at('restored', 'db'), ...quiet })
    expect(await contents(restored, await openBlobFolder(at('restored', 'blobs')))).toEqual(before)
    expect(await waiting(restored)).toEqual(before.verifications.map(({ id }) => id).toSorted())
  })
})
