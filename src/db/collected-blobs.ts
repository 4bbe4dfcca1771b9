import { and, asc, eq, exists, inArray, isNull, lt, not, or, type SQL, sql } from 'drizzle-orm'
import type { Sha256 } from '../../verifier/model/digest.ts'
import type { Blobs } from '../app/store/blob-ports.ts'
import { forget, unkept } from './keep-blobs.ts'
import { attestations, signingBacklog } from './schema/attestations.ts'
import { blobReferences, blobs } from './schema/blobs.ts'
import { verifications } from './schema/verifications.ts'
import type { Drizzle, Session } from './session.ts'

const ONE = { one: sql`1` }

/** What lets go of blobs. Rows that somebody else has at this moment are passed by: they are needed, or come up again. */
export function collectedBlobsOf(session: Session): Pick<Blobs, 'release' | 'releaseEnded' | 'collect'> {
  return {
    release: ({ verificationId, role }) =>
      session(async (db) => {
        const of = and(eq(blobReferences.verificationId, verificationId), eq(blobReferences.role, role))
        const released = await db.delete(blobReferences).where(of).returning({ sha256: blobReferences.sha256 })
        await forgetUnneeded(db, digestsOf(released), anyReference(db))
      }),
    releaseEnded: ({ role, before, limit }) =>
      session(async (db) => {
        const ended = await db
          .select({ verificationId: blobReferences.verificationId, sha256: blobReferences.sha256 })
          .from(blobReferences)
          .innerJoin(verifications, eq(verifications.id, blobReferences.verificationId))
          .where(and(eq(blobReferences.role, role), lt(verifications.finishedAt, before)))
          .limit(limit)
        for (const { verificationId, sha256 } of ended) {
          const one = and(eq(blobReferences.verificationId, verificationId), eq(blobReferences.sha256, sha256))
          await db.delete(blobReferences).where(and(one, eq(blobReferences.role, role)))
        }
        await forgetUnneeded(db, digestsOf(ended), anyReference(db))
        return ended.length
      }),
    collect: ({ endedBefore, notedBefore, after, limit }) =>
      session(async (db) => {
        // By the rows and not by a number of what may go: else whoever looks would read all that must stay, each time.
        const later =
          after === null ? undefined : sql`(${blobs.createdAt}, ${blobs.sha256}) > (${after.at.toISOString()}::timestamptz, ${after.id})`
        const rows = await db
          .select({ sha256: blobs.sha256, createdAt: blobs.createdAt })
          .from(blobs)
          .where(and(lt(blobs.createdAt, notedBefore), later))
          .orderBy(asc(blobs.createdAt), asc(blobs.sha256))
          .limit(limit)
        const gone = await forgetUnneeded(db, digestsOf(rows), referenceSince(db, endedBefore))
        const last = rows.at(-1)
        return { gone, next: last === undefined || rows.length < limit ? null : { at: last.createdAt, id: last.sha256 } }
      }),
  }
}

async function forgetUnneeded(db: Drizzle, digests: readonly Sha256[], needed: SQL): Promise<readonly Sha256[]> {
  if (digests.length === 0) return []
  const signed = db.select(ONE).from(attestations).where(eq(attestations.bundle, blobs.sha256))
  const rows = await db
    .select({ sha256: blobs.sha256 })
    .from(blobs)
    .where(and(inArray(blobs.sha256, [...digests]), not(needed), not(exists(signed)), ...unkept(db)))
    .for('update', { skipLocked: true })
  const gone = digestsOf(rows)
  await forget(db, gone)
  return gone
}

function anyReference(db: Drizzle): SQL {
  return exists(db.select(ONE).from(blobReferences).where(eq(blobReferences.sha256, blobs.sha256)))
}

/** That a verification needs it which is open, ended lately, was attested, or is yet to be: signing may wait for longer than anything. */
function referenceSince(db: Drizzle, endedBefore: Date): SQL {
  const attested = db.select(ONE).from(attestations).where(eq(attestations.verificationId, blobReferences.verificationId))
  const waiting = db.select(ONE).from(signingBacklog).where(eq(signingBacklog.verificationId, blobReferences.verificationId))
  const young = or(isNull(verifications.finishedAt), not(lt(verifications.finishedAt, endedBefore)))
  const kept = or(young, exists(attested), exists(waiting))
  return exists(
    db
      .select(ONE)
      .from(blobReferences)
      .innerJoin(verifications, eq(verifications.id, blobReferences.verificationId))
      .where(and(eq(blobReferences.sha256, blobs.sha256), kept)),
  )
}

function digestsOf(rows: readonly { readonly sha256: Sha256 }[]): Sha256[] {
  return rows.map(({ sha256 }) => sha256)
}
