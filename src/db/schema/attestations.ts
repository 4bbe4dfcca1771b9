import { index, integer, pgTable, primaryKey, text, unique } from 'drizzle-orm/pg-core'
import { blobs } from './blobs.ts'
import { digest, id, instant } from './columns.ts'
import { verifications } from './verifications.ts'

/** At most one signed statement of each type about a verdict, and those about what a gate says. Append-only. */
export const attestations = pgTable(
  'attestations',
  {
    id: id(),
    /** Null: it is about no verdict, but what a gate says. */
    verificationId: text('verification_id').references(() => verifications.id),
    predicateType: text('predicate_type').notNull(),
    bundle: digest('bundle')
      .notNull()
      .references(() => blobs.sha256),
    signer: text('signer').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [
    unique('attestations_once').on(t.verificationId, t.predicateType),
    index('attestations_page').on(t.createdAt, t.id),
    index('attestations_by_bundle').on(t.bundle),
  ],
)

/** What is yet to be signed. A row goes when its attestation is there. */
export const signingBacklog = pgTable(
  'signing_backlog',
  {
    verificationId: text('verification_id')
      .notNull()
      .references(() => verifications.id),
    predicateType: text('predicate_type').notNull(),
    tries: integer('tries').notNull(),
    createdAt: instant('created_at').notNull(),
    nextAt: instant('next_at').notNull(),
    /** Why the last try failed: a code of ours. */
    lastCode: text('last_code'),
  },
  (t) => [primaryKey({ columns: [t.verificationId, t.predicateType] }), index('signing_backlog_next').on(t.nextAt)],
)
