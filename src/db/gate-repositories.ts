import { and, desc, eq, inArray, lt, sql } from 'drizzle-orm'
import type { Composes, GateDecisions } from '../app/store/gate-ports.ts'
import { keep } from './keep-blobs.ts'
import { deploymentComposes } from './schema/deployments.ts'
import { appComposes, gateDecisions } from './schema/gate.ts'
import { owners } from './schema/owners.ts'
import type { Session } from './session.ts'

const MOST_ADMITTERS = 100

export function composesOf(session: Session): Composes {
  return {
    admit: ({ appId, composeHash, size, ownerId, at }) =>
      session(async (db) => {
        await keep(db, [{ sha256: composeHash, size }], at)
        const added = await db.insert(appComposes).values({ appId, composeHash, ownerId, admittedAt: at }).onConflictDoNothing().returning()
        return added.length > 0
      }),
    admittedFor: (appId, composeHash) =>
      session(async (db) => {
        const rows = await db
          .select({ owner: owners, admittedAt: appComposes.admittedAt })
          .from(appComposes)
          .innerJoin(owners, eq(owners.id, appComposes.ownerId))
          .where(and(eq(appComposes.appId, appId), eq(appComposes.composeHash, composeHash)))
          .orderBy(appComposes.admittedAt, appComposes.ownerId)
          .limit(MOST_ADMITTERS)
        return rows.map((row) => ({ appId, composeHash, ...row }))
      }),
    ofApp: (appId, limit) =>
      session(async (db) => {
        return await db
          .select({ appId: appComposes.appId, composeHash: appComposes.composeHash, owner: owners, admittedAt: appComposes.admittedAt })
          .from(appComposes)
          .innerJoin(owners, eq(owners.id, appComposes.ownerId))
          .where(eq(appComposes.appId, appId))
          .orderBy(desc(appComposes.admittedAt), desc(appComposes.composeHash))
          .limit(limit)
      }),
    isKept: (composeHash) =>
      session(async (db) => {
        const admitted = await db.select({ one: sql`1` }).from(appComposes).where(eq(appComposes.composeHash, composeHash)).limit(1)
        if (admitted.length > 0) return true
        const deployed = db.select({ one: sql`1` }).from(deploymentComposes).where(eq(deploymentComposes.sha256, composeHash))
        return (await deployed.limit(1)).length > 0
      }),
  }
}

export function gateDecisionsOf(session: Session): GateDecisions {
  return {
    note: (answered) =>
      session(async (db) => {
        if (answered.length === 0) return
        const rows = answered
          .map(({ asked, answer, decision, count, firstAt, lastAt }) => ({
            policySha256: decision.policy.sha256,
            asked,
            appId: decision.app.id,
            composeHash: decision.app.composeHash,
            answer,
            policy: decision.policy.name,
            judged: decision.judged,
            document: decision,
            count,
            firstAt,
            lastAt,
          }))
          // In one order, so that two who note the same do not wait for each other in a circle.
          .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
        await db
          .insert(gateDecisions)
          .values(rows)
          .onConflictDoUpdate({
            target: [gateDecisions.policySha256, gateDecisions.asked, gateDecisions.appId, gateDecisions.composeHash, gateDecisions.answer],
            set: {
              count: sql`${gateDecisions.count} + excluded.count`,
              lastAt: sql`greatest(${gateDecisions.lastAt}, excluded.last_at)`,
            },
          })
      }),
    ofApp: (appId, limit) =>
      session(async (db) => {
        const rows = await db
          .select()
          .from(gateDecisions)
          .where(eq(gateDecisions.appId, appId))
          .orderBy(desc(gateDecisions.lastAt))
          .limit(limit)
        return rows.flatMap(({ asked, answer, document, count, firstAt, lastAt }) => {
          const { app } = document
          return app === null ? [] : [{ asked, answer, decision: { ...document, app }, count, firstAt, lastAt }]
        })
      }),
    sweep: (before, limit) =>
      session(async (db) => {
        const { policySha256, asked, appId, composeHash, answer } = gateDecisions
        const old = db.select({ ctid: sql`ctid` }).from(gateDecisions).where(lt(gateDecisions.lastAt, before)).limit(limit)
        const gone = await db
          .delete(gateDecisions)
          .where(inArray(sql`ctid`, old))
          .returning({ policySha256, asked, appId, composeHash, answer })
        return gone.length
      }),
  }
}

function keyOf(row: { policySha256: string; asked: string; appId: string; composeHash: string; answer: string }): string {
  return [row.policySha256, row.asked, row.appId, row.composeHash, row.answer].join(' ')
}
