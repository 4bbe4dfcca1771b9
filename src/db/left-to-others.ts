import { and, asc, eq, exists, gt, inArray, not, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Attempts } from '../app/store/store-ports.ts'
import { attempts, verificationWorkers, workers } from './schema/attempts.ts'
import type { Drizzle } from './session.ts'
import { ARCHITECTURE, isAlive, termsOf } from './worker-repository.ts'

/** Verifications of which a worker had an attempt, and whose next one another worker can have that had none. */
export async function leftToOthers(db: Drizzle, o: Parameters<Attempts['leftToOthers']>[0]): Promise<readonly string[]> {
  const { architecture, places } = termsOf(o.route)
  const had = alias(verificationWorkers, 'had')
  const one = { one: sql`1` }
  const waits = db
    .select(one)
    .from(attempts)
    .where(
      and(
        eq(attempts.verificationId, verificationWorkers.verificationId),
        eq(attempts.state, 'queued'),
        eq(attempts.route, o.route),
        gt(attempts.createdAt, o.waitingSince),
      ),
    )
  const hadOne = db
    .select(one)
    .from(had)
    .where(and(eq(had.workerId, workers.id), eq(had.verificationId, verificationWorkers.verificationId)))
  const another = db
    .select(one)
    .from(workers)
    .where(
      and(
        isAlive(db, { since: o.aliveSince, now: o.now }),
        inArray(workers.place, places),
        eq(ARCHITECTURE, architecture),
        not(exists(hadOne)),
      ),
    )
  const rows = await db
    .select({ id: verificationWorkers.verificationId })
    .from(verificationWorkers)
    .where(and(eq(verificationWorkers.workerId, o.workerId), exists(waits), exists(another)))
    .orderBy(asc(verificationWorkers.verificationId))
    .limit(o.limit)
  return rows.map(({ id }) => id)
}
