import { aliasedTable, and, desc, eq, exists, inArray, lt, sql } from 'drizzle-orm'
import type { Observations } from '../app/store/observation-ports.ts'
import { pageOf } from '../app/store/page.ts'
import { keyset } from './keyset.ts'
import { observations } from './schema/observations.ts'
import type { Session } from './session.ts'

const LISTED = {
  id: observations.id,
  deploymentId: observations.deploymentId,
  appId: observations.appId,
  url: observations.url,
  verdict: observations.verdict,
  code: observations.code,
  outcome: observations.outcome,
  count: observations.count,
  firstAt: observations.firstAt,
  lastAt: observations.lastAt,
}

export function observationsOf(session: Session): Observations {
  return {
    note: ({ inspection, ...observation }) =>
      session(async (db) => {
        const { deploymentId, outcome, firstAt: at } = observation
        const [newest] = await db
          .select({ id: observations.id, outcome: observations.outcome })
          .from(observations)
          .where(eq(observations.deploymentId, deploymentId))
          .orderBy(desc(observations.firstAt), desc(observations.id))
          .limit(1)
          .for('update')
        if (newest?.outcome === outcome) {
          const lastAt = sql`greatest(${observations.lastAt}, ${at.toISOString()}::timestamptz)`
          await db
            .update(observations)
            .set({ count: sql`${observations.count} + 1`, lastAt })
            .where(eq(observations.id, newest.id))
          return false
        }
        const document = inspection
        await db.insert(observations).values({ ...observation, document, verdict: document?.verdict ?? null, count: 1, lastAt: at })
        return true
      }),
    read: (id) =>
      session(async (db) => {
        const [row] = await db.select().from(observations).where(eq(observations.id, id))
        if (row === undefined) return undefined
        const { document: inspection, verdict: _verdict, ...observation } = row
        return { ...observation, inspection }
      }),
    ofApp: (appId, request) =>
      session(async (db) => {
        const { after, order, limit } = keyset(request, observations.firstAt, observations.id)
        const rows = await db
          .select(LISTED)
          .from(observations)
          .where(and(eq(observations.appId, appId), after))
          .orderBy(...order)
          .limit(limit)
        return pageOf(rows, request.limit, { item: (row) => row, place: ({ firstAt: at, id }) => ({ at, id }) })
      }),
    sweep: (before, limit) =>
      session(async (db) => {
        const later = aliasedTable(observations, 'later')
        const newer = db
          .select({ one: sql`1` })
          .from(later)
          .where(
            and(
              eq(later.deploymentId, observations.deploymentId),
              sql`(${later.firstAt}, ${later.id}) > (${observations.firstAt}, ${observations.id})`,
            ),
          )
        const old = db
          .select({ id: observations.id })
          .from(observations)
          .where(and(lt(observations.lastAt, before), exists(newer)))
          .limit(limit)
        return (await db.delete(observations).where(inArray(observations.id, old)).returning({ id: observations.id })).length
      }),
  }
}
