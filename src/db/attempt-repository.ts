import { and, asc, count, eq, exists, gt, gte, inArray, isNull, lt, or, sql } from 'drizzle-orm'
import { Failure } from '../../verifier/model/failure.ts'
import type { AttemptState } from '../app/lifecycle/attempt-state.ts'
import { pageOf } from '../app/store/page.ts'
import type { StoredAttempt } from '../app/store/records.ts'
import type { Attempts, Workers } from '../app/store/store-ports.ts'
import { keyset } from './keyset.ts'
import { attempts, attemptTries, workers } from './schema/attempts.ts'
import type { Session } from './session.ts'

type Row = typeof attempts.$inferSelect

export function attemptsOf(session: Session): Attempts {
  return {
    insert: ({ id, verificationId, number, mode, route, life, report, indexes, createdAt, committedAt }) =>
      session(async (db) => {
        const committed = life.state === 'committed' ? { report, indexes, committedAt } : {}
        await db.insert(attempts).values({ id, verificationId, number, mode, route, createdAt, ...columnsOf(life), ...committed })
      }),
    read: (id) =>
      session(async (db) => {
        const [row] = await db.select().from(attempts).where(eq(attempts.id, id))
        return row === undefined ? undefined : storedAttempt(row)
      }),
    of: (verificationId) =>
      session(async (db) => {
        const rows = await db.select().from(attempts).where(eq(attempts.verificationId, verificationId)).orderBy(asc(attempts.number))
        return rows.map(storedAttempt)
      }),
    save: ({ id, life, indexes }, { report, at }) =>
      session(async (db) => {
        const committed = life.state === 'committed' ? { report, indexes, committedAt: at } : {}
        await db
          .update(attempts)
          .set({ ...columnsOf(life), ...committed })
          .where(eq(attempts.id, id))
      }),
    addTry: ({ lease: leaseId, worker: workerId, ...ended }) =>
      session(async (db) => {
        await db.insert(attemptTries).values({ ...ended, leaseId, workerId })
      }),
    tries: (attemptId) =>
      session(async (db) => {
        const rows = await db.select().from(attemptTries).where(eq(attemptTries.attemptId, attemptId)).orderBy(asc(attemptTries.number))
        return rows.map(({ leaseId: lease, workerId: worker, ...ended }) => ({ ...ended, lease, worker }))
      }),
    expired: (now, limit) =>
      session(async (db) => {
        const rows = await db
          .select()
          .from(attempts)
          .where(and(eq(attempts.state, 'leased'), lt(attempts.leaseExpiresAt, now)))
          .orderBy(asc(attempts.leaseExpiresAt))
          .limit(limit)
        return rows.map(storedAttempt)
      }),
  }
}

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
        const [architecture = ''] = route.split('-')
        const places = route.endsWith('-stranger') ? (['remote'] as const) : (['remote', 'in-process'] as const)
        // One that was not heard of yet may turn out to have the architecture.
        const fits = or(isNull(workers.capabilities), eq(sql`${workers.capabilities} ->> 'architecture'`, architecture))
        const found = await db
          .select({ id: workers.id })
          .from(workers)
          .where(and(isNull(workers.revokedAt), inArray(workers.place, [...places]), fits))
          .limit(1)
        return found.length > 0
      }),
    counts: (id) =>
      session(async (db) => {
        const open = and(eq(workers.id, id), isNull(workers.revokedAt))
        return (await db.select({ id: workers.id }).from(workers).where(open).for('share')).length > 0
      }),
    alive: ({ since, now }) =>
      session(async (db) => {
        // A worker that builds for half an hour asks for nothing meanwhile.
        const holds = db
          .select({ one: sql`1` })
          .from(attempts)
          .where(and(eq(attempts.state, 'leased'), gt(attempts.leaseExpiresAt, now), eq(attempts.workerId, workers.id)))
        const architecture = sql<string>`coalesce(${workers.capabilities}->>'architecture', '')`
        return await db
          .select({ architecture, place: workers.place, count: count() })
          .from(workers)
          .where(and(isNull(workers.revokedAt), or(gte(workers.lastSeenAt, since), exists(holds))))
          .groupBy(architecture, workers.place)
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

export function storedAttempt(row: Row): StoredAttempt {
  const { id, verificationId, number, mode, route, report, createdAt, committedAt } = row
  return { id, verificationId, number, mode, route, life: lifeOf(row), report, indexes: row.indexes ?? [], createdAt, committedAt }
}

function lifeOf(row: Row): AttemptState {
  const { tries, leaseId, workerId, leasedAt, leaseExpiresAt, outcome, reportDigest } = row
  if (row.state === 'queued') return { state: 'queued', tries }
  if (row.state === 'committed' && outcome !== null) return { state: 'committed', tries, outcome, lease: leaseId, digest: reportDigest }
  if (row.state === 'leased' && leaseId !== null && workerId !== null && leasedAt !== null && leaseExpiresAt !== null)
    return {
      state: 'leased',
      tries,
      lease: { id: leaseId, worker: workerId, since: leasedAt.getTime(), expiresAt: leaseExpiresAt.getTime() },
    }
  // The constraints of the table rule it out.
  throw new Failure({
    code: 'database-damaged',
    message: 'the database holds an attempt that cannot be',
    hint: 'restore the database from its last good backup',
    audience: 'operator',
  })
}

function columnsOf(life: AttemptState) {
  switch (life.state) {
    case 'queued':
      return { state: life.state, tries: life.tries, leaseId: null, workerId: null, leasedAt: null, leaseExpiresAt: null }
    case 'leased': {
      const { id: leaseId, worker: workerId, since, expiresAt } = life.lease
      return { state: life.state, tries: life.tries, leaseId, workerId, leasedAt: new Date(since), leaseExpiresAt: new Date(expiresAt) }
    }
    case 'committed':
      return {
        state: life.state,
        tries: life.tries,
        outcome: life.outcome,
        leaseId: life.lease,
        leaseExpiresAt: null,
        reportDigest: life.digest,
      }
  }
}
