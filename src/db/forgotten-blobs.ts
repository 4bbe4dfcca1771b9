import { and, asc, eq, exists, inArray, lte, sql } from 'drizzle-orm'
import type { ForgottenBlobs } from '../app/store/blob-ports.ts'
import { blobs, forgottenBlobs } from './schema/blobs.ts'
import type { Session } from './session.ts'

/** Times are the database's own here: nobody else's clock has a say in when bytes go. */
export function forgottenBlobsOf(session: Session): ForgottenBlobs {
  return {
    add: (digests) =>
      session(async (db) => {
        if (digests.length === 0) return
        const known = await db
          .select({ sha256: blobs.sha256 })
          .from(blobs)
          .where(inArray(blobs.sha256, [...digests]))
        const knows = new Set(known.map(({ sha256 }) => sha256))
        const rows = digests.filter((sha256) => !knows.has(sha256)).map((sha256) => ({ sha256, since: sql`now()` }))
        if (rows.length > 0) await db.insert(forgottenBlobs).values(rows).onConflictDoNothing()
      }),
    due: ({ seconds, limit }) =>
      session(async (db) => {
        const old = lte(forgottenBlobs.since, sql`now() - make_interval(secs => ${seconds})`)
        const known = db.select({ one: sql`1` }).from(blobs).where(eq(blobs.sha256, forgottenBlobs.sha256))
        await db.delete(forgottenBlobs).where(and(old, exists(known)))
        const rows = await db
          .select({ sha256: forgottenBlobs.sha256 })
          .from(forgottenBlobs)
          .where(old)
          .orderBy(asc(forgottenBlobs.since), asc(forgottenBlobs.sha256))
          .limit(limit)
        return rows.map(({ sha256 }) => sha256)
      }),
    gone: (digests) =>
      session(async (db) => {
        if (digests.length > 0) await db.delete(forgottenBlobs).where(inArray(forgottenBlobs.sha256, [...digests]))
      }),
    postpone: (digests) =>
      session(async (db) => {
        if (digests.length > 0)
          await db
            .update(forgottenBlobs)
            .set({ since: sql`now()` })
            .where(inArray(forgottenBlobs.sha256, [...digests]))
      }),
  }
}
