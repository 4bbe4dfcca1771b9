import { and, eq, inArray } from 'drizzle-orm'
import type { HandedBlobs } from '../app/store/blob-ports.ts'
import { handedBlobs } from './schema/attempts.ts'
import type { Session } from './session.ts'

/** Of one question: a statement has at most 65535 parameters. */
const BATCH = 1000

export function handedBlobsOf(session: Session): HandedBlobs {
  return {
    add: ({ attemptId, lease: leaseId, sha256 }) =>
      session(async (db) => {
        await db.insert(handedBlobs).values({ attemptId, leaseId, sha256 }).onConflictDoNothing()
      }),
    among: ({ attemptId, lease, digests }) =>
      session(async (db) => {
        const found = new Set<(typeof digests)[number]>()
        const own = and(eq(handedBlobs.attemptId, attemptId), eq(handedBlobs.leaseId, lease))
        for (let from = 0; from < digests.length; from += BATCH) {
          const some = inArray(handedBlobs.sha256, digests.slice(from, from + BATCH))
          const rows = await db.select({ sha256: handedBlobs.sha256 }).from(handedBlobs).where(and(own, some))
          for (const { sha256 } of rows) found.add(sha256)
        }
        return found
      }),
    forget: (attemptId) =>
      session(async (db) => {
        await db.delete(handedBlobs).where(eq(handedBlobs.attemptId, attemptId))
      }),
  }
}
