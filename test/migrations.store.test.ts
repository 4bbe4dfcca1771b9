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
      recipe: null,
      reasons: [],
    })
    expect(await store.reads.verifications.read('finished')).toMatchObject({ state: 'finished', verdict: 'reproduced', builder: B })
    expect(await store.reads.workers.withKey('key')).toMatchObject({ place: 'remote', capabilities: { architecture: 'amd64' } })
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
]
