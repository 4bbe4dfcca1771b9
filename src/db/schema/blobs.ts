import { sql } from 'drizzle-orm'
import { bigint, index, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import type { BlobRole } from '../../app/store/records.ts'
import { digest, holds, id, instant, isDigest } from './columns.ts'
import { owners } from './owners.ts'
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

/**
 * Blobs that nothing needs any more and whose bytes may still be there. Their bytes go a while after `since`, unless somebody brought them
 * again; then they go from here.
 */
export const forgottenBlobs = pgTable(
  'forgotten_blobs',
  { sha256: digest('sha256').primaryKey(), since: instant('since').notNull() },
  (t) => [isDigest('forgotten_blobs_sha256_form', t.sha256), index('forgotten_blobs_by_age').on(t.since)],
)

/** What a lock names: whoever needs the lock needs these too. */
export const lockInputs = pgTable(
  'lock_inputs',
  {
    lock: digest('lock')
      .notNull()
      .references(() => blobs.sha256),
    sha256: digest('sha256')
      .notNull()
      .references(() => blobs.sha256),
  },
  (t) => [primaryKey({ columns: [t.lock, t.sha256] }), index('lock_inputs_by_input').on(t.sha256)],
)

/** Bytes that owners brought for submissions to come; forgotten after a while. */
export const uploads = pgTable(
  'uploads',
  {
    ownerId: text('owner_id')
      .notNull()
      .references(() => owners.id),
    sha256: digest('sha256')
      .notNull()
      .references(() => blobs.sha256),
    size: bigint('size', { mode: 'number' }).notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.ownerId, t.sha256] }),
    holds('uploads_size', sql`${t.size} >= 0`),
    index('uploads_by_age').on(t.createdAt, t.sha256),
    index('uploads_by_owner').on(t.ownerId, t.createdAt),
    index('uploads_by_digest').on(t.sha256),
  ],
)

/** What came from owners, each time that something did: by it they are held to what may come in a day. Forgotten after that. */
export const receivedUploads = pgTable(
  'received_uploads',
  {
    id: id(),
    ownerId: text('owner_id')
      .notNull()
      .references(() => owners.id),
    bytes: bigint('bytes', { mode: 'number' }).notNull(),
    at: instant('at').notNull(),
  },
  (t) => [
    holds('received_uploads_bytes', sql`${t.bytes} >= 0`),
    index('received_uploads_by_owner').on(t.ownerId, t.at),
    index('received_uploads_by_age').on(t.at),
  ],
)

/** Builders that attempts were made in. */
export const builders = pgTable(
  'builders',
  {
    digest: digest('digest').primaryKey(),
    description: digest('description')
      .notNull()
      .references(() => blobs.sha256),
    architecture: text('architecture').notNull(),
    mkosi: text('mkosi').notNull(),
    addedAt: instant('added_at').notNull(),
  },
  (t) => [isDigest('builders_digest_form', t.digest), index('builders_page').on(t.addedAt, t.digest)],
)

/** Blobs that a builder is made of: kept as long as it is known. */
export const builderBlobs = pgTable(
  'builder_blobs',
  {
    builder: digest('builder')
      .notNull()
      .references(() => builders.digest),
    sha256: digest('sha256')
      .notNull()
      .references(() => blobs.sha256),
  },
  (t) => [primaryKey({ columns: [t.builder, t.sha256] }), index('builder_blobs_by_blob').on(t.sha256)],
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
