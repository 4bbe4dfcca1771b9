import { and, count, desc, eq, exists, gte, isNotNull, isNull, ne, not, or, sql } from 'drizzle-orm'
import type { Verifications } from '../app/store/store-ports.ts'
import { attempts, workers } from './schema/attempts.ts'
import { verifications } from './schema/verifications.ts'
import type { Drizzle } from './session.ts'

/** The newest verification whose attempts may answer for another one. */
export async function rebuilt(
  db: Drizzle,
  { prepared: { pinned, lock, architecture }, attempts: wanted, builder, since }: Parameters<Verifications['rebuilt']>[0],
): Promise<string | undefined> {
  const own = eq(attempts.verificationId, verifications.id)
  const unbuilt = db
    .select({ one: sql`1` })
    .from(attempts)
    .where(and(own, or(isNull(attempts.outcome), ne(attempts.outcome, 'built'))))
  // A key is revoked where its word counts no more.
  const revoked = db
    .select({ one: sql`1` })
    .from(attempts)
    .innerJoin(workers, eq(workers.id, attempts.workerId))
    .where(and(own, isNotNull(workers.revokedAt)))
  // What ended without an attempt has none that is not built either.
  const all = db.select({ number: count() }).from(attempts).where(own)
  const [found] = await db
    .select({ id: verifications.id })
    .from(verifications)
    .where(
      and(
        eq(verifications.state, 'finished'),
        isNull(verifications.reusedFrom),
        eq(verifications.treeDigest, pinned.treeDigest),
        eq(verifications.pinned, pinned),
        eq(verifications.architecture, architecture),
        lock === null ? isNull(verifications.preparedLock) : eq(verifications.preparedLock, lock),
        eq(verifications.builder, builder),
        gte(verifications.finishedAt, since),
        sql`${all} >= ${wanted}`,
        not(exists(unbuilt)),
        not(exists(revoked)),
      ),
    )
    .orderBy(desc(verifications.finishedAt))
    .limit(1)
  return found?.id
}
