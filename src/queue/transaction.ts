import { sql } from 'drizzle-orm'
import { type Db, fromDrizzle } from 'pg-boss'
import type { Executor } from '../db/session.ts'

type Rows = Awaited<ReturnType<Parameters<typeof fromDrizzle>[0]['execute']>>

/** pg-boss inside a transaction of drizzle's, with objects and dates as text: drizzle's session on postgres.js hands parameters on as they are. */
export function inTransaction(tx: Executor): Db {
  // What comes back is the driver's: rows, or an object that has them. pg-boss takes both.
  const inner = fromDrizzle({ execute: async (query: ReturnType<typeof sql>) => (await tx.execute(query)) as Rows }, sql)
  return { executeSql: (text, values) => inner.executeSql(text, values?.map(asText)) }
}

function asText(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value) ? JSON.stringify(value) : value
}
