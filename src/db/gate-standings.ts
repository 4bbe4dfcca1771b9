import { and, asc, desc, eq, gte, inArray, isNull, lt, not, type SQL, sql } from 'drizzle-orm'
import type { FoundStanding, GateStandings, Standing, StandingKey } from '../app/store/gate-ports.ts'
import { gateSummaries, gateStandings as table } from './schema/gate-standings.ts'
import type { Drizzle, Session } from './session.ts'

const MOST_SUMMARIES = 1000

const is = ({ policySha256, appId, composeHash }: StandingKey) =>
  and(eq(table.policySha256, policySha256), eq(table.appId, appId), eq(table.composeHash, composeHash))
const unsigned = () => and(table.admitted, sql`${table.signedResult} is distinct from ${table.result}`)
/** Of a row that is written again: that something is to be signed of it which was not before. */
const changed = sql`(excluded.result <> ${table.result} or (excluded.admitted and not ${table.admitted}))`
const ifThen = (condition: SQL, yes: SQL, no: SQL | typeof table.document | typeof table.guest | typeof table.changedAt): SQL =>
  sql`case when ${condition} then ${yes} else ${no} end`

export function gateStandingsOf(session: Session): GateStandings {
  return {
    note: (found) => session(async (db) => (found.length === 0 ? [] : await note(db, found))),
    read: (key) =>
      session(async (db) => {
        const [row] = await db.select().from(table).where(is(key))
        return row
      }),
    hold: (key) =>
      session(async (db) => {
        const [row] = await db.select().from(table).where(is(key)).for('update')
        return row
      }),
    summarise: (summary, at) =>
      session(async (db) => {
        await db.insert(gateSummaries).values(summary)
        const { change, result } = summary
        await db.update(table).set({ signedChange: change, signedResult: result, signedAt: at }).where(is(summary))
      }),
    unsigned: (limit) =>
      session((db) =>
        db
          .select({ policySha256: table.policySha256, appId: table.appId, composeHash: table.composeHash })
          .from(table)
          .where(unsigned())
          .orderBy(asc(table.changedAt))
          .limit(limit),
      ),
    summariesOf: (appId) =>
      session((db) =>
        db
          .selectDistinctOn([gateSummaries.policySha256, gateSummaries.composeHash])
          .from(gateSummaries)
          .where(eq(gateSummaries.appId, appId))
          .orderBy(gateSummaries.policySha256, gateSummaries.composeHash, desc(gateSummaries.change))
          .limit(MOST_SUMMARIES),
      ),
    asked: ({ policy, since, limit }) =>
      session(async (db) => {
        const newest = db
          .selectDistinctOn([table.appId, table.composeHash])
          .from(table)
          .where(and(eq(table.policy, policy), gte(table.lastAt, since)))
          .orderBy(table.appId, table.composeHash, desc(table.lastAt))
          .as('newest')
        return await db.select().from(newest).orderBy(desc(newest.guestRank), desc(newest.lastAt)).limit(limit)
      }),
    sweep: (before, limit) =>
      session(async (db) => {
        const nothing = and(isNull(table.signedResult), not(table.admitted))
        const old = db
          .select({ ctid: sql`ctid` })
          .from(table)
          .where(and(lt(table.lastAt, before), nothing))
          .limit(limit)
        const gone = await db.delete(table).where(inArray(sql`ctid`, old)).returning({ appId: table.appId })
        return gone.length
      }),
  }
}

async function note(db: Drizzle, found: readonly FoundStanding[]): Promise<readonly Standing[]> {
  const known = await admittedAmong(db, found)
  const rows = found
    .map(({ policy, decision, result, admitted, guest, guestRank, at }) => ({
      policySha256: decision.policy.sha256,
      appId: decision.app.id,
      composeHash: decision.app.composeHash,
      policy,
      result,
      admitted: admitted || known.has(pairOf({ appId: decision.app.id, composeHash: decision.app.composeHash })),
      changes: 1,
      changedAt: at,
      document: decision,
      signedChange: 0,
      guest,
      guestRank,
      lastAt: at,
    }))
    // In one order, so that two who note the same do not wait for each other in a circle.
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const better = sql`excluded.guest_rank >= ${table.guestRank}`
  const written = await db
    .insert(table)
    .values(rows)
    .onConflictDoUpdate({
      target: [table.policySha256, table.appId, table.composeHash],
      set: {
        policy: sql`excluded.policy`,
        result: sql`excluded.result`,
        admitted: sql`${table.admitted} or excluded.admitted`,
        changes: sql`${table.changes} + ${changed}::int`,
        changedAt: ifThen(changed, sql`excluded.changed_at`, table.changedAt),
        document: ifThen(changed, sql`excluded.document`, table.document),
        guest: ifThen(better, sql`excluded.guest`, table.guest),
        guestRank: sql`greatest(excluded.guest_rank, ${table.guestRank})`,
        lastAt: sql`excluded.last_at`,
      },
      // What another process found later counts.
      setWhere: sql`excluded.last_at >= ${table.lastAt}`,
    })
    .returning()
  const at = new Map(rows.map((row) => [keyOf(row), row.lastAt.getTime()]))
  return written.filter((row) => row.admitted && row.signedResult !== row.result && row.changedAt.getTime() === at.get(keyOf(row)))
}

/** Pairs that were admitted under whatever policy: by another one that denies them something is to be signed as well. */
async function admittedAmong(db: Drizzle, found: readonly FoundStanding[]): Promise<ReadonlySet<string>> {
  const hashes = [...new Set(found.map(({ decision }) => decision.app.composeHash))]
  const apps = [...new Set(found.map(({ decision }) => decision.app.id))]
  const rows = await db
    .selectDistinct({ appId: table.appId, composeHash: table.composeHash })
    .from(table)
    .where(and(inArray(table.composeHash, hashes), inArray(table.appId, apps), table.admitted))
  return new Set(rows.map(pairOf))
}

function pairOf({ appId, composeHash }: Pick<StandingKey, 'appId' | 'composeHash'>): string {
  return `${appId} ${composeHash}`
}

function keyOf({ policySha256, ...pair }: StandingKey): string {
  return `${policySha256} ${pairOf(pair)}`
}
