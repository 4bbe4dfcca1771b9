import { PGlite } from '@electric-sql/pglite'
import { drizzle as onPglite } from 'drizzle-orm/pglite'
import { migrate as migratePglite } from 'drizzle-orm/pglite/migrator'
import { drizzle as onPostgres } from 'drizzle-orm/postgres-js'
import { migrate as migratePostgres } from 'drizzle-orm/postgres-js/migrator'
import postgres, { type Sql } from 'postgres'
import type { Secret } from '../../verifier/model/secret.ts'
import { ARRAY_TYPES } from './array-types.ts'
import { endingLost } from './lost-transactions.ts'
import { pauseBeforeConnecting } from './pause-before-connecting.ts'
import { keepingStatements } from './prepared-statements.ts'
import { type Drizzle, TransactionGuard, translated } from './session.ts'

export type DatabaseSettings = {
  /** A PostgreSQL server; null: an embedded database in `folder`. */
  readonly url: Secret | null
  /** Of the embedded database; belongs to one process at a time. */
  readonly folder: string
  /** The folder `drizzle/` with the migrations. */
  readonly migrations: string
}

/** How the queue reaches the same database: by clients of its own, since drizzle changes how its client reads and writes values. */
export type QueueConnection =
  | { readonly kind: 'pglite'; readonly pglite: PGlite }
  /** `scripts` has one connection, for whole transactions in one text. */
  | { readonly kind: 'postgres'; readonly client: Sql; readonly scripts: Sql }

/** Numbers that no other program is likely to lock by. */
const MIGRATION_LOCK = 7_230_611_904_113
/** Connections of the repositories and of the queue. */
const POOL = { repositories: 10, queue: 4, scripts: 1 } as const

/** An open database whose schema is up to date. */
export class Database implements AsyncDisposable {
  readonly kind: 'pglite' | 'postgres'
  readonly drizzle: Drizzle
  readonly queue: QueueConnection
  readonly guard = new TransactionGuard()
  readonly #close: () => Promise<void>

  constructor(o: { drizzle: Drizzle; queue: QueueConnection; close: () => Promise<void> }) {
    this.kind = o.queue.kind
    this.drizzle = o.drizzle
    this.queue = o.queue
    this.#close = o.close
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }
}

/** Opens the database and brings its schema up to date. Fails with `database-unreachable` or `database-failed`. */
export async function openDatabase(settings: DatabaseSettings): Promise<Database> {
  return settings.url === null ? await openEmbedded(settings) : await openServer(settings.url.reveal(), settings.migrations)
}

async function openEmbedded({ folder, migrations }: DatabaseSettings): Promise<Database> {
  const pglite = await translated(() => PGlite.create(folder))
  const close = async (): Promise<void> => {
    if (!pglite.closed) await pglite.close()
  }
  try {
    const drizzle = onPglite(pglite)
    await translated(() => migratePglite(drizzle, { migrationsFolder: migrations }))
    return new Database({ drizzle, queue: { kind: 'pglite', pglite }, close })
  } catch (error) {
    await close()
    throw error
  }
}

async function openServer(url: string, migrations: string): Promise<Database> {
  await migrateServer(url, migrations)
  const client = keepingStatements(connect(url, POOL.repositories))
  const queue = connect(url, POOL.queue)
  const scripts = connect(url, POOL.scripts)
  const close = async (): Promise<void> => {
    await Promise.all([client, queue, scripts].map((one) => one.end({ timeout: 5 })))
  }
  return new Database({ drizzle: onPostgres(client), queue: { kind: 'postgres', client: queue, scripts }, close })
}

/** Several processes may start at once: one migrates, and the others find nothing left to do. */
async function migrateServer(url: string, migrations: string): Promise<void> {
  const client = connect(url, 1, { statement_timeout: 0, idle_in_transaction_session_timeout: 0 })
  try {
    await translated(async () => {
      await client`select pg_advisory_lock(${MIGRATION_LOCK}::bigint)`
      await migratePostgres(onPostgres(endingLost(client)), { migrationsFolder: migrations })
    })
  } finally {
    // The lock is the connection's. Nothing is under way; of a connection that was lost the driver would wait for an answer.
    await client.end({ timeout: 0 })
  }
}

/** Nothing that we ask of a database takes longer; what does would hold locks that others wait for. */
const LIMITS = { statement_timeout: 60_000, idle_in_transaction_session_timeout: 60_000 }

function connect(url: string, max: number, limits: typeof LIMITS = LIMITS): Sql {
  return postgres(url, {
    max,
    connect_timeout: 10,
    backoff: (failures) => pauseBeforeConnecting(failures),
    onnotice: () => {},
    connection: { application_name: 'bitwitness', plan_cache_mode: 'force_custom_plan', ...limits },
    fetch_types: false,
    types: ARRAY_TYPES,
  })
}
