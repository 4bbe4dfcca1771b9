import { asc, eq, type SQL } from 'drizzle-orm'
import type { Prepared, Submission } from '../app/store/records.ts'
import type { HeldVerification } from '../app/store/store-ports.ts'
import { storedAttempt } from './attempt-repository.ts'
import { attempts } from './schema/attempts.ts'
import { verifications } from './schema/verifications.ts'
import type { Drizzle } from './session.ts'

type Row = typeof verifications.$inferSelect

/** The verification that this is true of, and its attempts, locked until the transaction ends. */
export async function heldWhere(db: Drizzle, where: SQL): Promise<HeldVerification | undefined> {
  const [row] = await db.select().from(verifications).where(where).for('update')
  if (row === undefined) return undefined
  const own = (await db.select().from(attempts).where(eq(attempts.verificationId, row.id)).orderBy(asc(attempts.number))).map(storedAttempt)
  const { state, attemptsWanted, verdict, tier, createdAt } = row
  const locked = row.lock !== null || row.inputs !== null
  return {
    life: { state, wanted: attemptsWanted, locked, attempts: own.map(({ life }) => life), verdict, tier },
    attempts: own,
    submission: submissionOf(row),
    prepared: preparedOf(row),
    createdAt,
  }
}

/** What transitions need of it. The claims are not among that. */
function submissionOf(row: Row): Omit<Submission, 'claims'> {
  const { ownerId, source, upload, lock, inputs, attemptsWanted, builderWanted: builder, maxAgeSeconds, trusted, callbackUrl } = row
  return { ownerId, source, upload, lock, inputs, builder, attempts: attemptsWanted, maxAgeSeconds, trusted, callbackUrl }
}

function preparedOf({ pinned, sourceTar, recipe, architecture, preparedLock: lock }: Row): Prepared | null {
  if (pinned === null || sourceTar === null || recipe === null || architecture === null) return null
  return { pinned, sourceTar, reading: recipe, architecture, lock }
}
