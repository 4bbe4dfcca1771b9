import { and, eq, exists, inArray, lt, or, type SQL, sql } from 'drizzle-orm'
import type { Blobs } from '../app/store/blob-ports.ts'
import type { BlobRole } from '../app/store/records.ts'
import { keep } from './keep-blobs.ts'
import { blobReferences, blobs, builderBlobs, lockInputs } from './schema/blobs.ts'
import type { Drizzle, Session } from './session.ts'

/** What attempts are made from, as parts that blobs have in verifications. */
const BUILT_FROM: BlobRole[] = ['source', 'lock']
/** Nothing is collected that was noted so recently: it need not be noted again. */
const FRESH_MS = 3600_000
/** Digests of one statement. */
const BATCH = 1000

/** What keeps blobs that nothing refers to yet, and which of all may be given to whoever builds. */
export function keptBlobsOf(session: Session): Pick<Blobs, 'keep' | 'renew' | 'toBuildFrom'> {
  return {
    keep: (kept, at) => session((db) => keep(db, kept, at)),
    renew: (digests, at) =>
      session(async (db) => {
        const found = new Set<(typeof digests)[number]>()
        for (let from = 0; from < digests.length; from += BATCH) {
          const some = inArray(blobs.sha256, digests.slice(from, from + BATCH).toSorted())
          const stale = lt(blobs.createdAt, new Date(at.getTime() - FRESH_MS))
          // What is being collected is waited for, and then is not found.
          await db.update(blobs).set({ createdAt: at }).where(and(some, stale))
          for (const { sha256 } of await db.select({ sha256: blobs.sha256 }).from(blobs).where(some)) found.add(sha256)
        }
        return found
      }),
    toBuildFrom: (digests) =>
      session(async (db) => {
        const found = new Set<(typeof digests)[number]>()
        for (let from = 0; from < digests.length; from += BATCH) {
          const some = inArray(blobs.sha256, digests.slice(from, from + BATCH))
          for (const { sha256 } of await db
            .select({ sha256: blobs.sha256 })
            .from(blobs)
            .where(and(some, or(...builtFrom(db)))))
            found.add(sha256)
        }
        return found
      }),
  }
}

/** Of a row of `blobs`: one row of each table answers, however many there are. */
function builtFrom(db: Drizzle): SQL[] {
  const one = { one: sql`1` }
  const referred = and(eq(blobReferences.sha256, blobs.sha256), inArray(blobReferences.role, BUILT_FROM))
  return [
    exists(db.select(one).from(blobReferences).where(referred)),
    exists(db.select(one).from(lockInputs).where(eq(lockInputs.sha256, blobs.sha256))),
    exists(db.select(one).from(builderBlobs).where(eq(builderBlobs.sha256, blobs.sha256))),
  ]
}
