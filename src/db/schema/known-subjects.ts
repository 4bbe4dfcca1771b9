import { sql } from 'drizzle-orm'
import { boolean, index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { digest, holds, instant, isDigest } from './columns.ts'
import { owners } from './owners.ts'
import { verifications } from './verifications.ts'

/**
 * What is known about digests: one row for each source, claims and owner that a digest was given a verdict for, with the newest one that says
 * something about the image. Written with the verdict, so that a page needs not look at all verifications of a digest.
 */
export const knownSubjects = pgTable(
  'known_subjects',
  {
    sha256: digest('sha256').notNull(),
    /** Of source, claims and owner, as the function `known_key` has it. */
    key: digest('key').notNull(),
    ownerId: text('owner_id')
      .notNull()
      .references(() => owners.id),
    sourceName: text('source_name').notNull(),
    newestId: text('newest_id')
      .notNull()
      .references(() => verifications.id),
    newestAt: instant('newest_at').notNull(),
    /** Whether the newest says something: any verdict but `undecided`. */
    decided: boolean('decided').notNull(),
    count: integer('count').notNull(),
    firstAt: instant('first_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.sha256, t.key] }),
    isDigest('known_subjects_sha256_form', t.sha256),
    isDigest('known_subjects_key_form', t.key),
    holds('known_subjects_count', sql`${t.count} >= 1`),
    index('known_subjects_page').on(t.sha256, t.newestAt, t.newestId),
    index('known_subjects_by_owner').on(t.sha256, t.ownerId, t.newestAt, t.newestId),
    index('known_subjects_by_source').on(t.sha256, t.sourceName, t.newestAt, t.newestId),
  ],
)
