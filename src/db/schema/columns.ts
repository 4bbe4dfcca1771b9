import { type SQL, sql } from 'drizzle-orm'
import { type AnyPgColumn, check, text, timestamp } from 'drizzle-orm/pg-core'
import type { Sha256 } from '../../../verifier/model/digest.ts'

/** A UUID of version 7 (RFC 9562), made by us. */
export const id = () => text('id').primaryKey()

/** Milliseconds, as a cursor carries them: a finer time would fall between two pages. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' })

export const digest = (name: string) => text(name).$type<Sha256>()

/** Digests are 64 lower-case hexadecimal digits, whoever writes them. */
export const isDigest = (name: string, column: AnyPgColumn) => check(name, sql`${column} ~ '^[0-9a-f]{64}$'`)

export const oneOf = (name: string, column: AnyPgColumn, values: readonly string[]) =>
  check(name, sql`${column} in (${sql.raw(values.map((value) => `'${value}'`).join(', '))})`)

export const holds = (name: string, condition: SQL) => check(name, condition)
