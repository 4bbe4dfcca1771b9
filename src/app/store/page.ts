import { z } from 'zod'
import { Failure } from '../../../verifier/model/failure.ts'

/** Where a page ended, opaque to whoever carries it. */
export type Cursor = { readonly at: Date; readonly id: string }

/** One page of a list, newest first; `next` leads to the next one and is null at the end. */
export type Page<T> = { readonly items: readonly T[]; readonly next: string | null }

/** What a list is asked for. */
export type PageRequest = { readonly cursor: string | null; readonly limit: number }

export const MAX_PAGE = 200

/** The last moment that a timestamp of four digits for its year can say, which is all that a database reads. */
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

const Content = z.tuple([z.int().min(0).max(LAST_MS), z.string().regex(/^[0-9a-f-]{1,64}$/)])

export function encodeCursor({ at, id }: Cursor): string {
  return Buffer.from(JSON.stringify([at.getTime(), id])).toString('base64url')
}

/** Fails with `cursor-malformed`: cursors come back from strangers. */
export function decodeCursor(text: string): Cursor {
  const content = text.length > 256 ? undefined : parse(Buffer.from(text, 'base64url').toString('utf8'))
  const cursor = Content.safeParse(content)
  // The one spelling of it: base64url drops what it does not know.
  if (cursor.success && encodeCursor({ at: new Date(cursor.data[0]), id: cursor.data[1] }) === text)
    return { at: new Date(cursor.data[0]), id: cursor.data[1] }
  throw new Failure({
    code: 'cursor-malformed',
    message: 'the cursor is none that a page ended with',
    hint: 'take the cursor of the page before, as it is, or leave it out to begin anew',
  })
}

/** A page from up to one more row than was asked for. */
export function pageOf<R, T>(
  rows: readonly R[],
  limit: number,
  { item, place }: { item: (row: R) => T; place: (row: R) => Cursor },
): Page<T> {
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return { items: rows.slice(0, limit).map(item), next: last === undefined ? null : encodeCursor(place(last)) }
}

/** Fails with `page-limit` for a size that cannot be. */
export function checkedLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE) return limit
  throw new Failure({ code: 'page-limit', message: 'not a size of a page', hint: `give a whole number from 1 to ${MAX_PAGE}` })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
