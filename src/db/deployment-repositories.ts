import { and, count, eq, inArray, type SQL, sql } from 'drizzle-orm'
import type { Deployments, StoredDeployment } from '../app/store/deployment-ports.ts'
import { type PageRequest, pageOf } from '../app/store/page.ts'
import { keep } from './keep-blobs.ts'
import { keyset } from './keyset.ts'
import { ALIVE, deploymentComposes, deployments } from './schema/deployments.ts'
import type { Drizzle, Session } from './session.ts'

type Row = typeof deployments.$inferSelect

/** Without what grows. */
const LISTED = {
  id: deployments.id,
  ownerId: deployments.ownerId,
  name: deployments.name,
  appId: deployments.appId,
  composeHash: deployments.composeHash,
  url: deployments.url,
  state: deployments.state,
  target: deployments.target,
  policy: deployments.policy,
  createdAt: deployments.createdAt,
  updatedAt: deployments.updatedAt,
  withdrawnAt: deployments.withdrawnAt,
}

export function deploymentsOf(session: Session): Deployments {
  return {
    insert: (deployment, said) =>
      session(async (db) => {
        await db.insert(deployments).values({ ...rowOf(deployment), saidKey: said?.key ?? null, saidDigest: said?.requestDigest ?? null })
      }),
    saidBefore: (ownerId, key) =>
      session(async (db) => {
        await db.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`${ownerId} ${key}`}, 1))`)
        const [found] = await db
          .select({ id: deployments.id, requestDigest: deployments.saidDigest })
          .from(deployments)
          .where(and(eq(deployments.ownerId, ownerId), eq(deployments.saidKey, key)))
        return found === undefined || found.requestDigest === null ? undefined : { id: found.id, requestDigest: found.requestDigest }
      }),
    read: (id) =>
      session(async (db) => {
        const [row] = await db.select().from(deployments).where(eq(deployments.id, id))
        return row === undefined ? undefined : deploymentOf(row)
      }),
    hold: (id) =>
      session(async (db) => {
        const [row] = await db.select().from(deployments).where(eq(deployments.id, id)).for('update')
        return row === undefined ? undefined : deploymentOf(row)
      }),
    save: (deployment) =>
      session(async (db) => {
        const { appId, composeHash, url, state, events, updatedAt, withdrawnAt } = rowOf(deployment)
        await db
          .update(deployments)
          .set({ appId, composeHash, url, state, events, updatedAt, withdrawnAt })
          .where(eq(deployments.id, deployment.id))
      }),
    page: ({ app, owner, state }, request) =>
      session((db) =>
        pageWhere(
          db,
          request,
          and(
            app === null ? undefined : eq(deployments.appId, app),
            owner === null ? undefined : eq(deployments.ownerId, owner),
            state === null ? undefined : eq(deployments.state, state),
          ),
        ),
      ),
    aliveOf: (ownerId) =>
      session(async (db) => {
        const [found] = await db
          .select({ count: count() })
          .from(deployments)
          .where(and(eq(deployments.ownerId, ownerId), ALIVE))
        return found?.count ?? 0
      }),
    alive: (request) => session((db) => pageWhere(db, request, ALIVE)),
    keepCompose: ({ deploymentId, sha256, size, at }) =>
      session(async (db) => {
        await keep(db, [{ sha256, size }], at)
        await db.insert(deploymentComposes).values({ deploymentId, sha256 }).onConflictDoNothing()
      }),
    withBytes: (ids) =>
      session(async (db) => {
        if (ids.length === 0) return new Set()
        const same = and(eq(deploymentComposes.deploymentId, deployments.id), eq(deploymentComposes.sha256, deployments.composeHash))
        const rows = await db
          .select({ id: deployments.id })
          .from(deployments)
          .innerJoin(deploymentComposes, same)
          .where(inArray(deployments.id, [...ids]))
        return new Set(rows.map(({ id }) => id))
      }),
    hasCompose: (deploymentId, sha256) =>
      session(async (db) => {
        const one = and(eq(deploymentComposes.deploymentId, deploymentId), eq(deploymentComposes.sha256, sha256))
        return (await db.select({ one: sql`1` }).from(deploymentComposes).where(one)).length > 0
      }),
  }
}

async function pageWhere(db: Drizzle, request: PageRequest, where: SQL | undefined) {
  const { after, order, limit } = keyset(request, deployments.createdAt, deployments.id)
  const rows = await db
    .select(LISTED)
    .from(deployments)
    .where(and(where, after))
    .orderBy(...order)
    .limit(limit)
  return pageOf(rows, request.limit, { item: (row) => row, place: ({ createdAt: at, id }) => ({ at, id }) })
}

function rowOf({ ordered, ...deployment }: StoredDeployment) {
  return { ...deployment, order: ordered?.order ?? null, admit: ordered?.admit ?? null, events: ordered?.events ?? null }
}

function deploymentOf(row: Row): StoredDeployment {
  const { order, admit, events, saidKey: _key, saidDigest: _digest, ...deployment } = row
  return { ...deployment, ordered: order === null || admit === null || events === null ? null : { order, admit, events } }
}
