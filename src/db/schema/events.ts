import { integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import type { EventBody } from '../../../verifier/model/event.ts'
import { instant } from './columns.ts'
import { verifications } from './verifications.ts'

/** What happened, in order. Triggers refuse to change or remove any of it. */
export const events = pgTable(
  'events',
  {
    verificationId: text('verification_id')
      .notNull()
      .references(() => verifications.id),
    /** Rises by one within a verification, from 1. */
    seq: integer('seq').notNull(),
    /** 0 is the verification itself. */
    attempt: integer('attempt').notNull(),
    at: instant('at').notNull(),
    kind: text('kind').notNull(),
    body: jsonb('body').$type<EventBody>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.verificationId, t.seq] })],
)
