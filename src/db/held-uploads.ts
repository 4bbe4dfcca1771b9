import { and, eq, inArray, min, sum } from 'drizzle-orm'
import { union } from 'drizzle-orm/pg-core'
import type { Uploads } from '../app/store/blob-ports.ts'
import type { BlobRole } from '../app/store/records.ts'
import { blobReferences, blobs, uploads } from './schema/blobs.ts'
import { verifications } from './schema/verifications.ts'
import type { Drizzle } from './session.ts'

/** What of a verification its owner brought. */
const BROUGHT: BlobRole[] = ['upload', 'lock', 'inputs']

/** Bytes that are kept since an owner brought them. There are few open verifications of one owner, whatever became of all others. */
export async function heldBy(db: Drizzle, ownerId: string): ReturnType<Uploads['held']> {
  const own = eq(uploads.ownerId, ownerId)
  const open = and(eq(verifications.ownerId, ownerId), inArray(verifications.state, ['accepted', 'running']))
  const kept = union(
    db.select({ sha256: uploads.sha256, size: uploads.size }).from(uploads).where(own),
    db
      .select({ sha256: blobs.sha256, size: blobs.size })
      .from(verifications)
      .innerJoin(blobReferences, eq(blobReferences.verificationId, verifications.id))
      .innerJoin(blobs, eq(blobs.sha256, blobReferences.sha256))
      .where(and(open, inArray(blobReferences.role, BROUGHT))),
  ).as('kept')
  const [held] = await db.select({ bytes: sum(kept.size).mapWith(Number) }).from(kept)
  const [first] = await db
    .select({ oldest: min(uploads.createdAt) })
    .from(uploads)
    .where(own)
  return { bytes: held?.bytes ?? 0, oldest: first?.oldest ?? null }
}
