import type { SQL } from 'drizzle-orm'
import type { StoreRoom } from '../src/store-room.ts'

/** What a query of a test's own finds; the two drivers give it in different shapes. */
export async function rowsOf<T = Record<string, unknown>>({ database }: Pick<StoreRoom, 'database'>, query: SQL): Promise<readonly T[]> {
  const found: unknown = await database.drizzle.execute(query)
  return Array.isArray(found) ? [...(found as T[])] : (found as { rows: T[] }).rows
}
