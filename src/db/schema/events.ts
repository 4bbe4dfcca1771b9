import { sql } from 'drizzle-orm'
import { bigint, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import type { EventBody } from '../../../verifier/model/event.ts'
import { attempts } from './attempts.ts'
import { holds, instant } from './columns.ts'
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
  (t) => [
    primaryKey({ columns: [t.verificationId, t.seq] }),
    // Lines of one attempt lie among those of all that run beside it.
    index('events_log').on(t.verificationId, t.attempt, t.seq).where(sql`${t.kind} = 'log'`),
  ],
)

/** How far the events of an attempt's lease have come: a batch that a worker sends again is known by it. */
export const eventIntakes = pgTable(
  'event_intakes',
  {
    attemptId: text('attempt_id')
      .primaryKey()
      .references(() => attempts.id),
    lease: text('lease_id').notNull(),
    /** Number that the worker gives the next event. */
    next: integer('next').notNull(),
    /** Lines of the log among them, and their characters. */
    lines: integer('lines').notNull(),
    bytes: bigint('bytes', { mode: 'number' }).notNull(),
  },
  (t) => [holds('event_intakes_counts', sql`${t.next} >= 1 and ${t.lines} >= 0 and ${t.bytes} >= 0`)],
)
