import { sql } from 'drizzle-orm'
import { bigint, index, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import type { Decision } from '../../app/gate/decision.ts'
import { blobs } from './blobs.ts'
import { digest, holds, instant, isDigest } from './columns.ts'
import { owners } from './owners.ts'

/** App-composes that owners admitted for apps: what a guest measured is looked up by it. Append-only. */
export const appComposes = pgTable(
  'app_composes',
  {
    appId: text('app_id').notNull(),
    /** sha256 of the bytes, which are in the store of blobs. */
    composeHash: digest('compose_hash')
      .notNull()
      .references(() => blobs.sha256),
    ownerId: text('owner_id')
      .notNull()
      .references(() => owners.id),
    admittedAt: instant('admitted_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.appId, t.composeHash, t.ownerId] }),
    holds('app_composes_app_id_form', sql`${t.appId} ~ '^[0-9a-f]{40}$'`),
    index('app_composes_by_hash').on(t.composeHash),
    index('app_composes_page').on(t.appId, t.admittedAt, t.composeHash),
  ],
)

/**
 * What a gate answered, once for each policy, question and answer, with how often: whoever asks needs no token, so nothing here may grow by the
 * number of questions.
 */
export const gateDecisions = pgTable(
  'gate_decisions',
  {
    policySha256: digest('policy_sha256').notNull(),
    asked: text('asked').$type<'kms-app' | 'gateway'>().notNull(),
    appId: text('app_id').notNull(),
    composeHash: digest('compose_hash').notNull(),
    /** Of what the answer was: the rules that failed. */
    answer: digest('answer').notNull(),
    policy: text('policy').notNull(),
    judged: text('judged').$type<'allow' | 'deny'>().notNull(),
    /** The first one. */
    document: jsonb('document').$type<Decision>().notNull(),
    count: bigint('count', { mode: 'number' }).notNull(),
    firstAt: instant('first_at').notNull(),
    lastAt: instant('last_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.policySha256, t.asked, t.appId, t.composeHash, t.answer] }),
    isDigest('gate_decisions_compose_hash_form', t.composeHash),
    index('gate_decisions_by_app').on(t.appId, t.lastAt),
    index('gate_decisions_by_age').on(t.lastAt),
  ],
)
