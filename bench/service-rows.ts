import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Secret } from '../verifier/model/secret.ts'
import { clientOf } from './service-store.ts'

/** How many verifications of a source, an owner, a builder or a digest there are; beside the one source and owner that has a third of all. */
const EACH = 100
const STEP = 100_000
const SINCE = Date.UTC(2026, 0, 1)

/** Ids and digests as `fillVerifications` makes them. `n` counts from 1, the newest is the last. */
export const rowId = (n: number): string =>
  `${(SINCE + n * 1000).toString(16).padStart(12, '0').replace(/^.{8}/, '$&-')}-7000-8000-${n.toString(16).padStart(12, '0')}`
export const rowTime = (n: number): Date => new Date(SINCE + n * 1000)
/** 0 is the one that has a third of all. */
export const ownerId = (group: number): string => `00000000-0000-7000-8000-${group.toString(16).padStart(12, '0')}`
export const sourceName = (group: number): string => `https://git.example/${group}`
/** Of how many sources, owners, builders and digests the verifications are. */
export const groupsOf = (count: number): number => Math.max(2, Math.ceil(count / EACH))

/**
 * Verifications as years of work leave them, with attempts, tries, events, subjects, blobs and attestations; triggers and constraints are
 * on. Documents are those of the report in testdata. One in 33 is a mismatch.
 */
export async function fillVerifications(url: Secret, count: number): Promise<void> {
  const { source, recipe, recipeFindings, claims, attempts } = await goldenReport()
  const groups = groupsOf(count)
  const group = `(case when n % 3 = 0 then 0 else (n / 3 * 2 + n % 3) % ${groups - 1} + 1 end)`
  const at = `timestamptz '${new Date(SINCE).toISOString()}' + n * interval '1 second'`
  const ms = `lpad(to_hex(${SINCE}::bigint + n * 1000), 12, '0')`
  const id = `left(${ms}, 8) || '-' || right(${ms}, 4) || '-7000-8000-' || lpad(to_hex(n), 12, '0')`
  const attemptId = `left(${ms}, 8) || '-' || right(${ms}, 4) || '-7000-9' || lpad(a::text, 3, '0') || '-' || lpad(to_hex(n), 12, '0')`
  const owner = (of: string) => `'00000000-0000-7000-8000-' || lpad(to_hex(${of}), 12, '0')`
  const digest = (of: string) => `encode(sha256((${of})::bytea), 'hex')`
  const [verdict, tier] = [
    `case when n % 33 = 0 then 'mismatch' else 'reproduced' end`,
    `case when n % 33 = 0 then null else 'bit-exact' end`,
  ]
  await using client = clientOf(url.reveal())
  const run = async (statement: string, ...documents: readonly unknown[]): Promise<void> => {
    await client.sql.unsafe(
      statement,
      documents.map((one) => JSON.stringify(one)),
    )
  }
  await run(`insert into owners (id, kind, issuer, subject, name, created_at)
    select ${owner('g')}, 'local', 'local', 's' || g, 'o' || g, now() from generate_series(0, ${groups}) g`)
  await run(`insert into workers (id, name, public_key, capabilities, added_at) values ('w', 'w', 'w', '{}', now())`)
  for (let from = 1; from <= count; from += STEP) {
    const rows = `from generate_series(${from}, ${Math.min(count, from + STEP - 1)}) n`
    await run(
      `insert into verifications (id, owner_id, source, source_name, claims, attempts_wanted, fingerprint, state, attempts_committed, verdict,
          tier, builder, report, pinned, source_tar, recipe, architecture, tree_digest, created_at, finished_at)
        select ${id}, ${owner(group)}, ($1::text::jsonb - 'ref' - 'treeDigest') || jsonb_build_object('url', 'https://git.example/' || ${group}),
          'https://git.example/' || ${group}, $2::text::jsonb, 2, ${digest('n::text')}, 'finished', true, ${verdict}, ${tier},
          ${digest(`'builder ' || ${group}`)}, ${digest(`'report ' || n`)}, $1::text::jsonb, ${digest(`'tar ' || n`)}, $3::text::jsonb,
          'amd64', ${digest(`'tree ' || n`)}, ${at}, ${at} + interval '1 minute' ${rows}`,
      source,
      claims,
      { recipe, findings: recipeFindings },
    )
    await run(`insert into subjects (verification_id, sha256, key, kind, name, created_at)
      select ${id}, ${digest(`'image ' || n % ${groups} || name`)}, ${digest(`'key ' || n`)}, kind, name, ${at} ${rows},
        (values ('claim', 'image.tar'), ('claim', 'image.oci'), ('artifact', 'image.tar'), ('artifact', 'image.oci')) s (kind, name)`)
    await run(`insert into known_subjects (sha256, key, owner_id, source_name, newest_id, newest_at, decided, count, first_at)
      select ${digest(`'image ' || n % ${groups} || name`)}, ${digest(`'key ' || n`)}, ${owner(group)}, 'https://git.example/' || ${group}, ${id},
        ${at} + interval '1 minute', true, 1, ${at} + interval '1 minute' ${rows}, (values ('image.tar'), ('image.oci')) s (name)`)
    await run(
      `insert into attempts (id, verification_id, number, mode, route, state, tries, outcome, report, report_digest, lease_id, worker_id,
          leased_at, created_at, committed_at)
        select ${attemptId}, ${id}, a, case a when 1 then 'live' else 'replay' end, 'amd64-trusted', 'committed', 1, 'built', $1::text::jsonb,
          ${digest(`n || '/' || a`)}, 'l', 'w', ${at}, ${at}, ${at} + interval '1 minute' ${rows}, generate_series(1, 2) a`,
      attempts[0],
    )
    await run(`insert into attempt_tries (attempt_id, number, lease_id, worker_id, started_at, ended_at, ending)
      select ${attemptId}, 1, 'l', 'w', ${at}, ${at} + interval '1 minute', 'committed' ${rows}, generate_series(1, 2) a`)
    await run(
      `insert into events (verification_id, seq, attempt, at, kind, body)
        select ${id}, s, 1 + s / 4, ${at} + s * interval '1 second', 'log', $1::text::jsonb ${rows}, generate_series(1, 6) s`,
      { kind: 'log', line: 'Get:1 nodejs 18.19.0' },
    )
    const kinds = `(values ('report', 'report'), ('bundle', 'bundle')) k (role, what)`
    await run(`insert into blobs (sha256, size, created_at) select ${digest(`what || ' ' || n`)}, 10000, ${at} ${rows}, ${kinds}`)
    await run(
      `insert into blob_references (sha256, verification_id, role) select ${digest(`what || ' ' || n`)}, ${id}, role ${rows}, ${kinds}`,
    )
    await run(`insert into attestations (id, verification_id, predicate_type, bundle, signer, created_at)
      select ${id}, ${id}, 'https://bitwitness.dev/reproduced/v1', ${digest(`'bundle ' || n`)}, 'key', ${at} + interval '2 minutes' ${rows}`)
  }
  // As autovacuum leaves it, which would otherwise come while something is measured.
  await client.sql.unsafe('vacuum analyze')
}

type Report = Readonly<Record<'source' | 'recipe' | 'recipeFindings' | 'claims', unknown>> & { readonly attempts: readonly unknown[] }

async function goldenReport(): Promise<Report> {
  const file = path.join(import.meta.dirname, '..', 'verifier', 'model', 'testdata', 'verification-reproduced.json')
  return JSON.parse(await readFile(file, 'utf8')) as Report
}
