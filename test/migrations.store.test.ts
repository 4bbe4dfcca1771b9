import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../src/db/database.ts'
import { StoreRoom } from '../src/store-room.ts'
import { root } from './repository.ts'
import { digestOf } from './stored.ts'
import { databases, emptyDatabase, onTrouble } from './stores.ts'

/** The migrations as they were when there were only so many. */
async function firstMigrations(number: number): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-migrations-'))
  await cp(path.join(root, 'drizzle'), folder, { recursive: true })
  const file = path.join(folder, 'meta', '_journal.json')
  const journal = JSON.parse(await readFile(file, 'utf8')) as { entries: { when: number }[] }
  // A migration is made only where it is younger than the last one that was.
  const times = journal.entries.map(({ when }) => when)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  await writeFile(file, JSON.stringify({ ...journal, entries: journal.entries.slice(0, number) }))
  return folder
}

describe.each(databases())('a database of before on %s', (kind) => {
  it('is brought up to date with all that it holds', async () => {
    await using place = await emptyDatabase(kind)
    const migrations = await firstMigrations(2)
    try {
      await using before = await openDatabase({ ...place, migrations })
      for (const statement of ROWS) await before.drizzle.execute(sql.raw(statement))
    } finally {
      await rm(migrations, { recursive: true, force: true })
    }
    await using store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    expect(await store.reads.attempts.of('verification')).toMatchObject([
      { number: 1, route: 'amd64-trusted', life: { state: 'committed', outcome: 'built' } },
      { number: 2, route: 'amd64-trusted', life: { state: 'queued' } },
    ])
    expect(await store.reads.verifications.read('verification')).toMatchObject({
      state: 'running',
      builder: null,
      reasons: [],
    })
    expect(await store.reads.verifications.read('finished')).toMatchObject({ state: 'finished', verdict: 'reproduced', builder: B })
    expect(await store.reads.workers.withKey('key')).toMatchObject({ place: 'remote', capabilities: { architecture: 'amd64' } })
    expect(await store.reads.attempts.tries('a')).toMatchObject([{ number: 1, lease: 'l', ending: 'committed', reason: null }])
    expect(await store.reads.events.after('finished', 0, 10)).toMatchObject([{ seq: 1, attempt: 1, kind: 'log', line: 'said before' }])
    expect(await store.reads.attestations.of('finished')).toMatchObject([{ predicateType: 't', bundle: B, signer: 'key' }])
    expect(await store.reads.attestations.backlog()).toMatchObject({ tasks: 1 })
    expect(await store.reads.blobs.of('finished')).toEqual([{ sha256: B, size: 7, role: 'bundle' }])
    const [known, ...others] = (await store.reads.verifications.known(B, { limit: 9, cursor: null })).items
    expect([known, others]).toMatchObject([{ verification: { id: 'finished' }, count: 1, subjects: [{ kind: 'artifact' }] }, []])
    const behind = await store.reads.verifications.knownBy(B, known?.key ?? B, { limit: 9, cursor: null })
    expect(behind.items).toMatchObject([{ id: 'finished' }])
    const token = await store.unitOfWork.run(({ tokens }) => tokens.withSecret(B, new Date()))
    expect(token).toMatchObject({ token: { id: 'token', scopes: ['submit'] }, owner: { id: 'owner' } })
    // What was final then is final now.
    const changed = store.database.drizzle.execute(
      sql.raw(`update verifications set verdict = 'mismatch', tier = null where id = 'finished'`),
    )
    await expect(changed).rejects.toMatchObject({ cause: { code: 'BW001' } })
    // Whoever opens an attempt from now on says its route.
    const unrouted = `insert into attempts (id, verification_id, number, mode, state, tries, created_at)
      values ('c', 'verification', 3, 'replay', 'queued', 0, now())`
    await expect(store.database.drizzle.execute(sql.raw(unrouted))).rejects.toMatchObject({ cause: { code: '23502' } })
  })
})

const B = digestOf('b')
const ROWS = [
  `insert into owners (id, kind, issuer, subject, name, created_at) values ('owner', 'local', 'local', 's', 'o', now())`,
  `insert into workers (id, name, public_key, capabilities, added_at) values
    ('worker', 'w', 'key', '{"architecture":"amd64","builders":[],"isolation":"shared-kernel"}', now())`,
  `insert into verifications (id, owner_id, source, source_name, claims, attempts_wanted, fingerprint, state, attempts_committed, verdict, tier,
      builder, report, created_at, finished_at)
    values ('verification', 'owner', '{}', 'u', '[]', 2, '${B}', 'running', false, null, null, null, null, now(), null),
      ('finished', 'owner', '{}', 'u', '[]', 1, '${B}', 'finished', true, 'reproduced', 'bit-exact', '${B}', '${B}', now(), now())`,
  `insert into attempts (id, verification_id, number, mode, state, tries, outcome, report, lease_id, worker_id, created_at, committed_at)
    values ('a', 'verification', 1, 'live', 'committed', 1, 'built', '{}', 'l', 'worker', now(), now()),
      ('b', 'verification', 2, 'replay', 'queued', 0, null, null, null, null, now(), null)`,
  `insert into attempt_tries (attempt_id, number, lease_id, worker_id, started_at, ended_at, ending) values
    ('a', 1, 'l', 'worker', now(), now(), 'committed')`,
  `insert into events (verification_id, seq, attempt, at, kind, body) values ('finished', 1, 1, now(), 'log', '{"kind":"log","line":"said before"}')`,
  `insert into blobs (sha256, size, created_at) values ('${B}', 7, now())`,
  `insert into blob_references (sha256, verification_id, role) values ('${B}', 'finished', 'bundle')`,
  `insert into attestations (id, verification_id, predicate_type, bundle, signer, created_at) values ('x', 'finished', 't', '${B}', 'key', now())`,
  `insert into signing_backlog (verification_id, predicate_type, tries, created_at, next_at) values ('finished', 'u', 3, now(), now())`,
  `insert into subjects (verification_id, sha256, kind, name, created_at) values ('finished', '${B}', 'artifact', 'image.tar', now())`,
  `insert into tokens (id, owner_id, secret_digest, name, scopes, created_at, expires_at) values
    ('token', 'owner', '${B}', 'ci', '["submit"]', now(), now() + interval '1 day')`,
]
