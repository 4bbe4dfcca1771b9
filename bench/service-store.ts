import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import postgres from 'postgres'
import { StoreRoom } from '../src/store-room.ts'
import { findPostgres, startPostgres } from '../test/postgres-cluster.ts'
import { Secret } from '../verifier/model/secret.ts'
import { processorSeconds } from './processor-seconds.ts'

/** A PostgreSQL server of a bench's own, as durable as it is by default, and stores in databases of it. */
export interface BenchServer extends AsyncDisposable {
  /** A database with the service's schema, and the room of a store in it, which closes with the server. */
  store(name: string): Promise<{ readonly url: Secret; readonly room: StoreRoom }>
  /** Of all its connections and its own helpers, so far. */
  processorSeconds(): Promise<number>
}

export async function startBenchServer(): Promise<BenchServer> {
  const programs = await findPostgres()
  if (programs === undefined) throw new Error('PostgreSQL is not installed: run this as make bench, or install Debian’s postgresql')
  await using starting = new AsyncDisposableStack()
  const cluster = starting.use(await startPostgres(programs))
  const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-bench-'))
  starting.defer(() => rm(folder, { recursive: true, force: true }))
  const held = starting.move()
  return {
    store: async (name) => {
      const url = new URL(cluster.url)
      await using server = clientOf(url.href)
      await server.sql.unsafe(`create database ${name}`)
      url.pathname = `/${name}`
      const secret = new Secret(url.href)
      const onTrouble = (failure: Error): void => console.error(failure)
      const room = held.use(await StoreRoom.open({ url: secret, folder, superviseSeconds: null, onTrouble }))
      return { url: secret, room }
    },
    processorSeconds: async () => {
      await using server = clientOf(cluster.url)
      const rows = await server.sql<{ readonly pid: number }[]>`select pid from pg_stat_activity where pid <> pg_backend_pid()`
      const seconds = await Promise.all(rows.map(({ pid }) => processorSeconds(pid)))
      return seconds.reduce((sum, one) => sum + one, 0)
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

/** One connection, to do by hand what no part of the service does. */
export function clientOf(url: string): AsyncDisposable & { readonly sql: postgres.Sql } {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  return { sql, [Symbol.asyncDispose]: () => sql.end() }
}
