import { and, asc, count, eq, gt, lt } from 'drizzle-orm'
import { Failure } from '../../verifier/model/failure.ts'
import type { AttemptState } from '../app/lifecycle/attempt-state.ts'
import type { StoredAttempt } from '../app/store/records.ts'
import type { Attempts } from '../app/store/store-ports.ts'
import { leftToOthers } from './left-to-others.ts'
import { attempts, attemptTries, verificationWorkers } from './schema/attempts.ts'
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
    noteWorker: (verificationId, workerId) =>
      session(async (db) => {
        await db.insert(verificationWorkers).values({ verificationId, workerId }).onConflictDoNothing()
      }),
    forgetWorkers: (verificationId) =>
      session(async (db) => {
        await db.delete(verificationWorkers).where(eq(verificationWorkers.verificationId, verificationId))
      }),
    leftToOthers: (o) => session((db) => leftToOthers(db, o)),
    heldBy: (workerId, now) =>
      session(async (db) => {
        // What ran out counts no more: the queue gives it to somebody soon.
        const held = and(eq(attempts.state, 'leased'), gt(attempts.leaseExpiresAt, now), eq(attempts.workerId, workerId))
        const [found] = await db.select({ held: count() }).from(attempts).where(held)
        return found?.held ?? 0
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
