import { sql } from 'drizzle-orm'
import { bigint, index, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import type { BlobRole } from '../../app/store/records.ts'
import { digest, holds, instant, isDigest } from './columns.ts'
import { verifications } from './verifications.ts'

/** Which blobs the service keeps. Their bytes are in the store of blobs. */
export const blobs = pgTable(
  'blobs',
  {
    sha256: digest('sha256').primaryKey(),
    size: bigint('size', { mode: 'number' }).notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [isDigest('blobs_sha256_form', t.sha256), holds('blobs_size', sql`${t.size} >= 0`), index('blobs_page').on(t.createdAt, t.sha256)],
)

/** What needs a blob, and as what. */
export const blobReferences = pgTable(
  'blob_references',
  {
    sha256: digest('sha256')
      .notNull()
      .references(() => blobs.sha256),
    verificationId: text('verification_id')
      .notNull()
      .references(() => verifications.id),
    role: text('role').$type<BlobRole>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.sha256, t.verificationId, t.role] }), index('blob_references_by_verification').on(t.verificationId)],
)
