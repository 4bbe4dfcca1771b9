import { desc, type SQL, sql } from 'drizzle-orm'
import { type AnyPgColumn } from 'drizzle-orm/pg-core'
import { checkedLimit, decodeCursor, type PageRequest } from '../app/store/page.ts'

/** Newest first, from where the page before ended. Both columns are in one index, in this order, so a page costs the same anywhere. */
export function keyset(
  request: PageRequest,
  at: AnyPgColumn,
  id: AnyPgColumn,
): { after: SQL | undefined; order: [SQL, SQL]; limit: number } {
  const cursor = request.cursor === null ? undefined : decodeCursor(request.cursor)
  return {
    after: cursor === undefined ? undefined : sql`(${at}, ${id}) < (${cursor.at.toISOString()}::timestamptz, ${cursor.id}::text)`,
    order: [desc(at), desc(id)],
    // One more tells whether there is a next page.
    limit: checkedLimit(request.limit) + 1,
  }
}
