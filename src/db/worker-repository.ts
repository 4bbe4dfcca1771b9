import { and, count, eq, exists, gt, gte, inArray, isNull, or, sql } from 'drizzle-orm'
import { pageOf } from '../app/store/page.ts'
import type { AttemptRoute, Worker } from '../app/store/records.ts'
import type { Workers } from '../app/store/store-ports.ts'
import { keyset } from './keyset.ts'
import { attempts, workers } from './schema/attempts.ts'
import type { Drizzle, Session } from './session.ts'

export function workersOf(session: Session): Workers {
  return {
    insert: (worker) =>
      session(async (db) => (await db.insert(workers).values(worker).onConflictDoNothing().returning({ id: workers.id })).length > 0),
    find: (id) =>
      session(async (db) => {
        const [row] = await db.select().from(workers).where(eq(workers.id, id))
        return row
      }),
    withKey: (publicKey) =>
      session(async (db) => {
        const [row] = await db
          .select()
          .from(workers)
          .where(and(eq(workers.publicKey, publicKey), isNull(workers.revokedAt)))
        return row
      }),
    seen: (id, { capabilities, now }) =>
      session(async (db) => {
        await db.update(workers).set({ lastSeenAt: now, capabilities }).where(eq(workers.id, id))
      }),
    anyFor: (route) =>
      session(async (db) => {
        const { architecture, places } = termsOf(route)
        // One that was not heard of yet may turn out to have the architecture.
        const fits = or(isNull(workers.capabilities), eq(ARCHITECTURE, architecture))
        const found = await db
          .select({ id: workers.id })
          .from(workers)
          .where(and(isNull(workers.revokedAt), inArray(workers.place, places), fits))
          .limit(1)
        return found.length > 0
      }),
    counts: (id) =>
      session(async (db) => {
        const open = and(eq(workers.id, id), isNull(workers.revokedAt))
        return (await db.select({ id: workers.id }).from(workers).where(open).for('share')).length > 0
      }),
    takes: (id) =>
      session(async (db) => {
        const open = and(eq(workers.id, id), isNull(workers.revokedAt))
        // Attempts that name the worker are written by others meanwhile.
        return (await db.select({ id: workers.id }).from(workers).where(open).for('no key update')).length > 0
      }),
    alive: ({ since, now }) =>
      session(async (db) => {
        const architecture = sql<string>`coalesce(${ARCHITECTURE}, '')`
        return await db
          .select({ architecture, place: workers.place, count: count() })
          .from(workers)
          .where(isAlive(db, { since, now }))
          .groupBy(architecture, workers.place)
      }),
    builders: ({ architecture, trusted, ...heard }) =>
      session(async (db) => {
        const rows = await db
          .select({ capabilities: workers.capabilities })
          .from(workers)
          .where(and(isAlive(db, heard), trusted ? undefined : eq(workers.place, 'remote'), eq(ARCHITECTURE, architecture)))
        return rows.flatMap(({ capabilities }) => (capabilities === null ? [] : [capabilities.builders]))
      }),
    revoke: (name, now) =>
      session(async (db) => {
        const revokedAt = sql`coalesce(${workers.revokedAt}, ${now.toISOString()}::timestamptz)`
        const [row] = await db.update(workers).set({ revokedAt }).where(eq(workers.name, name)).returning()
        return row
      }),
    page: (request) =>
      session(async (db) => {
        const { after, order, limit } = keyset(request, workers.addedAt, workers.id)
        const rows = await db
          .select()
          .from(workers)
          .where(after)
          .orderBy(...order)
          .limit(limit)
        return pageOf(rows, request.limit, { item: (row) => row, place: (row) => ({ at: row.addedAt, id: row.id }) })
      }),
  }
}

export const ARCHITECTURE = sql<string>`${workers.capabilities} ->> 'architecture'`

/** Which workers take attempts of a route. */
export function termsOf(route: AttemptRoute): { readonly architecture: string; readonly places: Worker['place'][] } {
  const [architecture = ''] = route.split('-')
  return { architecture, places: route.endsWith('-stranger') ? ['remote'] : ['remote', 'in-process'] }
}

/** A worker that builds for half an hour asks for nothing meanwhile. */
export function isAlive(db: Drizzle, { since, now }: { readonly since: Date; readonly now: Date }) {
  const holds = db
    .select({ one: sql`1` })
    .from(attempts)
    .where(and(eq(attempts.state, 'leased'), gt(attempts.leaseExpiresAt, now), eq(attempts.workerId, workers.id)))
  return and(isNull(workers.revokedAt), or(gte(workers.lastSeenAt, since), exists(holds)))
}
