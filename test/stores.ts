import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import postgres from 'postgres'
import { inject } from 'vitest'
import type { Failure } from '../verifier/model/failure.ts'
import { Secret } from '../verifier/model/secret.ts'

export type DatabaseKind = 'pglite' | 'postgres'

/** What the suite runs on here. */
export function databases(): readonly DatabaseKind[] {
  return inject('postgres') === null ? ['pglite'] : ['pglite', 'postgres']
}

/** Where a test's own, empty database is. Removed when it is disposed of. */
export interface EmptyDatabase extends AsyncDisposable {
  readonly url: Secret | null
  readonly folder: string
}

/** Nothing may fail behind the back of a test. */
export function onTrouble(failure: Failure): void {
  setImmediate(() => {
    throw failure
  })
}

export async function emptyDatabase(kind: DatabaseKind): Promise<EmptyDatabase> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-store-'))
  const server = kind === 'pglite' ? null : inject('postgres')
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  if (server === null) return { url: null, folder: path.join(folder, 'db'), [Symbol.asyncDispose]: remove }
  const name = `test_${randomBytes(6).toString('hex')}`
  await onServer(server, (sql) => sql.unsafe(`create database ${name}`))
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    url: new Secret(url.href),
    folder: path.join(folder, 'db'),
    [Symbol.asyncDispose]: async () => {
      await onServer(server, (sql) => sql.unsafe(`drop database ${name} with (force)`))
      await remove()
    },
  }
}

/** Of a database on the server. */
export function urlOf({ url }: Pick<EmptyDatabase, 'url'>): Secret {
  if (url === null) throw new Error('no server')
  return url
}

async function onServer(url: string, work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    await work(sql)
  } finally {
    await sql.end()
  }
}
