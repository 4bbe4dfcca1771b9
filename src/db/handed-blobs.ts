import { and, eq, inArray } from 'drizzle-orm'
import type { HandedBlobs } from '../app/store/store-ports.ts'
import { handedBlobs } from './schema/attempts.ts'
import type { Session } from './session.ts'

export function handedBlobsOf(session: Session): HandedBlobs {
  return {
    add: ({ attemptId, lease: leaseId, sha256 }) =>
      session(async (db) => {
        await db.insert(handedBlobs).values({ attemptId, leaseId, sha256 }).onConflictDoNothing()
      }),
    among: ({ attemptId, lease, digests }) =>
      session(async (db) => {
        const rows = await db
          .select({ sha256: handedBlobs.sha256 })
          .from(handedBlobs)
          .where(and(eq(handedBlobs.attemptId, attemptId), eq(handedBlobs.leaseId, lease), inArray(handedBlobs.sha256, [...digests])))
        return new Set(rows.map(({ sha256 }) => sha256))
      }),
    forget: (attemptId) =>
      session(async (db) => {
        await db.delete(handedBlobs).where(eq(handedBlobs.attemptId, attemptId))
      }),
  }
}
