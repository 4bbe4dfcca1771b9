import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import type { DeploymentFilter } from '../src/app/store/deployment-ports.ts'
import { encodeCursor, type PageRequest } from '../src/app/store/page.ts'
import type { Reads, Repositories, VerificationFilter } from '../src/app/store/store-ports.ts'
import { readsOf, repositories } from '../src/db/repositories.ts'
import { plainSession, TransactionGuard } from '../src/db/session.ts'
import { StoreRoom } from '../src/store-room.ts'
import { digestOf, preparedOf, submissionOf } from './stored.ts'
import { type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

const ROWS = 100_000
/** Rows that a page of 20 may touch: its own, one more, and as many that are looked up. */
const TOUCHED = 130

type Asked = { readonly query: string; readonly params: unknown[] }
type Node = {
  readonly 'Node Type': string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Index Name'?: string
  readonly Plans?: Node[]
}

let place: EmptyDatabase
let client: postgres.Sql
let reads: Reads
/** What only a unit of work reads. */
let inTransaction: Repositories
const asked: Asked[] = []

beforeAll(async () => {
  if (inject('postgres') === null) return
  place = await emptyDatabase('postgres')
  await using _made = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
  client = postgres(place.url?.reveal() ?? '', { max: 2, onnotice: () => {} })
  await fill(postgres(place.url?.reveal() ?? '', { max: 1, onnotice: () => {} }))
  const logger = { logQuery: (query: string, params: unknown[]) => void asked.push({ query, params }) }
  const logged = { drizzle: drizzle(client, { logger }), guard: new TransactionGuard() }
  reads = readsOf(logged)
  inTransaction = repositories(plainSession(logged.drizzle, logged.guard))
})
afterAll(async () => {
  await client?.end()
  await place?.[Symbol.asyncDispose]()
})

const ANY: VerificationFilter = { verdict: null, subject: null, source: null, builder: null, owner: null, since: null }
const middle = encodeCursor({ at: new Date(Date.UTC(2026, 0, 1) + (ROWS / 2) * 1000), id: 'ffffffff' })
const list = (filter: Partial<VerificationFilter>) => (request: PageRequest) => reads.verifications.page({ ...ANY, ...filter }, request)

const appId = (number: number): string => digestOf(String(number)).slice(0, 40)
const deployed = (filter: Partial<DeploymentFilter>) => (request: PageRequest) =>
  reads.deployments.page({ app: null, owner: null, state: null, ...filter }, request)

const LATE = new Date(Date.UTC(2026, 0, 1) + (ROWS - 1000) * 1000)
/** The same tree was built a hundred times, a tenth of that from the same folder. */
const prepared = preparedOf(submissionOf('owner 3'))
const REBUILT = {
  prepared: { ...prepared, pinned: { ...prepared.pinned, path: '7', treeDigest: digestOf('7') } },
  attempts: 1,
  builder: digestOf('7'),
  since: new Date(0),
}

const PAGES: readonly [string, (request: PageRequest) => Promise<unknown>, string][] = [
  ['verifications', list({}), 'verifications_page'],
  ['verifications of a verdict', list({ verdict: 'mismatch' }), 'verifications_page_by_verdict'],
  ['verifications of a source', list({ source: 'https://git.example/7' }), 'verifications_page_by_source'],
  ['verifications of a builder', list({ builder: digestOf('3') }), 'verifications_page_by_builder'],
  ['verifications of an owner', list({ owner: 'owner 3' }), 'verifications_page_by_owner'],
  ['verifications since a time', list({ since: new Date(Date.UTC(2026, 0, 1)) }), 'verifications_page'],
  ['verifications of a digest', list({ subject: digestOf('7') }), 'subjects_page'],
  ['what is known about a digest', (request) => reads.verifications.known(digestOf('7'), request), 'known_subjects_page'],
  [
    'what is known about a digest by an owner',
    (request) => reads.verifications.known(digestOf('7'), request, { source: null, owner: 'owner 3' }),
    'known_subjects_by_owner',
  ],
  [
    'what is known about a digest by a source',
    (request) => reads.verifications.known(digestOf('7'), request, { source: 'https://git.example/7', owner: null }),
    'known_subjects_by_source',
  ],
  ['what is behind it', (request) => reads.verifications.knownBy(digestOf('7'), digestOf('key 2'), request), 'subjects_page_by_key'],
  ['open verifications', (request) => reads.verifications.open(request), 'verifications_open'],
  ['tokens', (request) => reads.tokens.page(request), 'tokens_page'],
  ['workers', (request) => reads.workers.page(request), 'workers_page'],
  ['owners', (request) => reads.owners.page(request), 'owners_page'],
  ['attestations', (request) => reads.attestations.page(request), 'attestations_page'],
  ['builders', (request) => reads.builders.page(request), 'builders_page'],
  ['deployments', deployed({}), 'deployments_page'],
  ['deployments of an app', deployed({ app: appId(7) }), 'deployments_page_by_app'],
  ['deployments of an owner', deployed({ owner: 'owner 3' }), 'deployments_page_by_owner'],
  ['deployments in a state', deployed({ state: 'announced' }), 'deployments_page_by_state'],
  ['deployments that are under way or observed', (request) => reads.deployments.alive(request), 'deployments_alive'],
  ['what was seen of an app', (request) => reads.observations.ofApp(appId(7), request), 'observations_page'],
]
const READS: readonly [string, () => Promise<unknown>, string][] = [
  ['a token', () => reads.tokens.withSecret(digestOf('777'), new Date(0)), 'tokens_secret_digest'],
  ['the owner that a token is of', () => reads.owners.withSubject('local', 's777'), 'owners_issuer_subject'],
  ['a verification', () => reads.verifications.read('00000777'), 'verifications_pkey'],
  ['a verification by its attempt', () => inTransaction.verifications.holdOf('00000777'), 'verifications_pkey'],
  ['a recipe', () => reads.verifications.recipe('00000777'), 'verifications_pkey'],
  ['the attempts of a verification', () => reads.attempts.of('00000777'), 'attempts_number'],
  ['leases that ran out', () => reads.attempts.expired(new Date(), 20), 'attempts_lease_expiry'],
  ['events after one', () => reads.events.after('00000777', 10, 20), 'events_verification_id_seq_pk'],
  ['lines of a log', () => reads.events.lines({ verificationId: '00000777', attempt: 1, after: 10, limit: 20 }), 'events_log'],
  ['the attestations of a verification', () => reads.attestations.of('00000777'), 'attestations_once'],
  ['what is to be signed', () => reads.attestations.due(new Date(), 20), 'signing_backlog_next'],
  ['how much an owner has open', () => reads.verifications.openOf('owner 1'), 'verifications_open_by_owner'],
  ['an earlier rebuild', () => reads.verifications.rebuilt(REBUILT), 'verifications_rebuilt'],
  [
    'the builder that was chosen last',
    () => reads.verifications.chosenLast({ architecture: 'amd64', trusted: true }),
    'verifications_chosen_last',
  ],
  ['a worker by its key', () => reads.workers.withKey('k7'), 'workers_public_key'],
  ['whether a worker takes a stranger’s source', () => reads.workers.anyFor('amd64-stranger'), 'workers_taking'],
  ['whether a worker takes an attempt', () => reads.workers.anyFor('arm64-trusted'), 'workers_taking'],
  ['which blobs are known', () => reads.blobs.known([digestOf('7'), digestOf('none')]), 'blobs_pkey'],
  ['the parts of a blob', () => reads.blobs.partsOf(digestOf('7')), 'blob_references_sha256_verification_id_role_pk'],
  ['the blobs of a verification', () => reads.blobs.of('00000777'), 'blob_references_by_verification'],
  ['what came from an owner in a day', () => reads.uploads.received('owner 3', LATE), 'received_uploads_by_owner'],
  ['what an owner holds', () => reads.uploads.held('owner 3'), 'uploads_by_owner'],
  ['what an owner holds for what is open', () => reads.uploads.held('owner 3'), 'verifications_open_by_owner'],
  ['an upload', () => inTransaction.uploads.find('owner 3', digestOf('7')), 'uploads_owner_id_sha256_pk'],
  ['a builder', () => reads.builders.find(digestOf('7')), 'builders_pkey'],
  ['a deployment', () => reads.deployments.read('00000777'), 'deployments_pkey'],
  ['how many deployments an owner has', () => reads.deployments.aliveOf('owner 3'), 'deployments_alive_by_owner'],
  ['what an owner ordered before', () => inTransaction.deployments.saidBefore('owner 3', 'key 2'), 'deployments_said_once'],
  ['whether an app-compose is admitted', () => reads.composes.isKept(digestOf('7')), 'app_composes_by_hash'],
  ['whether an app-compose is part of a deployment', () => reads.composes.isKept(digestOf('99999')), 'deployment_composes_by_hash'],
  ['an observation', () => reads.observations.read('00000777'), 'observations_pkey'],
]

// Without a server there is nothing to see, and the suite says so elsewhere.
it
  .skipIf(inject('postgres') === null)
  .each([
    ...PAGES.map(([what, page, index]) => [`the first page of ${what}`, () => page({ cursor: null, limit: 20 }), index] as const),
    ...PAGES.map(([what, page, index]) => [`a page in the middle of ${what}`, () => page({ cursor: middle, limit: 20 }), index] as const),
    ...READS,
  ])(`%s is read by an index among ${ROWS} rows`, async (_what, read, index) => {
  asked.length = 0
  await read()
  const plans: Node[] = []
  for (const { query, params } of asked.slice()) {
    const [row] = await client.unsafe<{ 'QUERY PLAN': { Plan: Node }[] }[]>(`explain (analyze, format json) ${query}`, params as never[])
    plans.push(...nodesOf(row?.['QUERY PLAN'][0]?.Plan))
  }
  expect(plans.map((node) => node['Index Name'])).toContain(index)
  expect(plans.filter((node) => node['Node Type'] === 'Seq Scan')).toEqual([])
  for (const node of plans) expect(node['Actual Rows'] * node['Actual Loops']).toBeLessThanOrEqual(TOUCHED)
})

function nodesOf(node: Node | undefined): Node[] {
  return node === undefined ? [] : [node, ...(node.Plans ?? []).flatMap(nodesOf)]
}

/** Rows as years of work leave them, by one statement a table. */
async function fill(sql: postgres.Sql): Promise<void> {
  const at = `timestamptz '2026-01-01 00:00:00Z' + n * interval '1 second'`
  const id = `lpad(n::text, 8, '0')`
  const digest = (of: string) => `encode(sha256((${of})::text::bytea), 'hex')`
  const rows = `from generate_series(1, ${ROWS}) n`
  const report = `'{}'::jsonb`
  for (const statement of [
    `insert into owners (id, kind, issuer, subject, name, created_at) select 'owner ' || n, 'local', 'local', 's' || n, 'o', ${at} ${rows}`,
    `insert into tokens (id, owner_id, secret_digest, name, scopes, created_at, expires_at)
      select ${id}, 'owner ' || (n % 10 + 1), ${digest('n')}, 't', '[]', ${at}, ${at} ${rows}`,
    `insert into workers (id, name, public_key, place, capabilities, added_at, revoked_at) select ${id}, 'w' || n, 'k' || n,
      case when n % 2 = 0 then 'remote' else 'in-process' end, '{"architecture":"amd64"}', ${at},
      case when n % 2000 < 2 then null else ${at} end ${rows}`,
    `insert into verifications (id, owner_id, source, source_name, claims, attempts_wanted, fingerprint, state, attempts_committed, verdict,
        tier, builder, report, pinned, source_tar, recipe, architecture, tree_digest, created_at, finished_at)
      select ${id}, 'owner ' || (n % 1000 + 1), '{}', 'https://git.example/' || (n % 1000), '[]', 1, ${digest('n')},
        case when n % 100 = 0 then 'accepted' else 'finished' end, n % 100 <> 0,
        case when n % 100 = 0 then null when n % 500 = 1 then 'mismatch' else 'reproduced' end,
        case when n % 100 = 0 or n % 500 = 1 then null else 'bit-exact' end, ${digest('n % 1000')},
        case when n % 100 = 0 then null else ${digest('n')} end,
        '${JSON.stringify(REBUILT.prepared.pinned)}'::jsonb || jsonb_build_object('path', (n / 1000 % 10)::text),
        ${digest('n')}, '{}', 'amd64', ${digest('n % 1000')}, ${at}, case when n % 100 = 0 then null else ${at} end ${rows}`,
    `insert into subjects (verification_id, sha256, key, kind, name, created_at)
      select ${id}, ${digest('n % 100')}, ${digest(`'key ' || n / 100 % 5`)}, k, 'a', ${at} ${rows}, unnest(array['claim', 'artifact']) k`,
    `insert into known_subjects (sha256, key, owner_id, source_name, newest_id, newest_at, decided, count, first_at)
      select ${digest('n % 100')}, ${digest(`'of ' || n`)}, 'owner ' || (n / 100 % 10 + 1), 'https://git.example/' || (n / 100 % 10), ${id}, ${at},
        true, 1, ${at} ${rows}`,
    `insert into attempts (id, verification_id, number, mode, route, state, tries, outcome, report, lease_id, worker_id, leased_at, lease_expires_at,
        created_at, committed_at)
      select ${id}, ${id}, 1, 'live', 'amd64-trusted', case when n % 100 = 0 then 'leased' else 'committed' end, 1,
        case when n % 100 = 0 then null else 'built' end, case when n % 100 = 0 then null else ${report} end, 'l', ${id}, ${at},
        case when n % 100 = 0 then ${at} else null end, ${at}, case when n % 100 = 0 then null else ${at} end ${rows}`,
    `insert into events (verification_id, seq, attempt, at, kind, body)
      select lpad((n / 100 + 1)::text, 8, '0'), n % 100 + 1, n % 2 + 1, ${at}, 'log', '{"kind":"log","line":"x"}' ${rows}`,
    `insert into blobs (sha256, size, created_at) select ${digest('n')}, 1, ${at} ${rows}`,
    `insert into blob_references (sha256, verification_id, role) select ${digest('n % 1000 + 1')}, ${id}, 'log' ${rows}`,
    `insert into uploads (owner_id, sha256, size, created_at) select 'owner ' || (n % 1000 + 1),
      ${digest('n / 1000 + 1')}, 1, ${at} ${rows}`,
    `insert into received_uploads (id, owner_id, bytes, at) select ${id}, 'owner ' || (n % 1000 + 1), 1, ${at} ${rows}`,
    `insert into builders (digest, description, architecture, mkosi, added_at) select ${digest('n')}, ${digest('n')}, 'amd64', '25', ${at} ${rows}`,
    `insert into attestations (id, verification_id, predicate_type, bundle, signer, created_at)
      select ${id}, ${id}, 'p', ${digest('n')}, 'key', ${at} ${rows}`,
    `insert into signing_backlog (verification_id, predicate_type, tries, created_at, next_at) select ${id}, 'q', 0, ${at}, ${at} ${rows}`,
    `insert into deployments (id, owner_id, name, app_id, compose_hash, url, state, target, policy, "order", admit, events, said_key, said_digest,
        created_at, updated_at)
      select ${id}, 'owner ' || (n % 1000 + 1), 'app', left(${digest('n % 1000')}, 40), ${digest('n')}, null,
        case when n % 100 = 0 then 'announced' when n % 50 = 1 then 'running' else 'denied' end,
        case when n % 100 = 0 then null else 't' end, case when n % 100 = 0 then null else 'p' end,
        case when n % 100 = 0 then null else '{}'::jsonb end, case when n % 100 = 0 then null else false end,
        case when n % 100 = 0 then null else '[]'::jsonb end, 'key ' || n, ${digest('n')}, ${at}, ${at} ${rows}`,
    `insert into app_composes (app_id, compose_hash, owner_id, admitted_at)
      select left(${digest('n % 1000')}, 40), ${digest('n')}, 'owner 1', ${at} ${rows} where n <= ${ROWS / 2}`,
    `insert into deployment_composes (deployment_id, sha256) select ${id}, ${digest('n')} ${rows}`,
    `insert into observations (id, deployment_id, app_id, url, verdict, code, document, outcome, count, first_at, last_at)
      select ${id}, lpad((n / 100 + 1)::text, 8, '0'), left(${digest('n % 1000')}, 40), 'u', 'unproven', null, '{}', ${digest('n')}, 1, ${at}, ${at} ${rows}`,
    'analyze',
  ])
    await sql.unsafe(statement)
  await sql.end()
}
