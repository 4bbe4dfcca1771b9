import { makePgArray, parsePgArray } from 'drizzle-orm/pg-core'
import type { PostgresType } from 'postgres'

/** Of PostgreSQL's catalog (src/include/catalog/pg_type.dat), the same in every release: arrays whose elements are numbers, and the others. */
const OF_NUMBERS = { int2: 1005, int4: 1007 } as const
const OF_TEXTS = { text: 1009, int8: 1016, uuid: 2951 } as const

/**
 * Every array that we and the queue send and read. postgres.js would ask each new connection for all that the server knows, and end the
 * process where that connection is lost meanwhile: nobody can catch what that query throws (porsager/postgres#1192).
 */
export const ARRAY_TYPES: Record<string, PostgresType> = {
  numbers: { to: OF_NUMBERS.int4, from: Object.values(OF_NUMBERS), serialize: written, parse: (text: string) => read(text).map(Number) },
  texts: { to: OF_TEXTS.text, from: Object.values(OF_TEXTS), serialize: written, parse: read },
}

function written(value: unknown): unknown {
  return Array.isArray(value) ? makePgArray(value) : value
}

function read(text: string): readonly string[] {
  return parsePgArray(text)
}
