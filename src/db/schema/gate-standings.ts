import { sql } from 'drizzle-orm'
import { boolean, index, integer, jsonb, pgTable, primaryKey, text, unique } from 'drizzle-orm/pg-core'
import type { BootInfo } from '../../app/gate/boot-info.ts'
import type { Decision } from '../../app/gate/decision.ts'
import type { StandingResult } from '../../app/gate/standing-result.ts'
import { attestations } from './attestations.ts'
import { digest, holds, instant, isDigest, oneOf } from './columns.ts'

/** How app-composes stand with policies: the last answer for each, so that what changed is known, and what runs. */
export const gateStandings = pgTable(
  'gate_standings',
  {
    policySha256: digest('policy_sha256').notNull(),
    appId: text('app_id').notNull(),
    composeHash: digest('compose_hash').notNull(),
    /** What the policy was asked under. */
    policy: text('policy').notNull(),
    /** Of the app-compose and its images; what is said of a guest counts for nothing here. */
    result: text('result').$type<StandingResult>().notNull(),
    /** Whether somebody admitted it who may, so that it is worth a signature. */
    admitted: boolean('admitted').notNull(),
    /** Counts what was noted of it that is to be signed: another result, or that it was admitted. */
    changes: integer('changes').notNull(),
    changedAt: instant('changed_at').notNull(),
    /** The decision that changed it. */
    document: jsonb('document').$type<Decision>().notNull(),
    /** The last change that is signed. */
    signedChange: integer('signed_change').notNull(),
    /** Null: nothing is signed of it yet. */
    signedResult: text('signed_result').$type<StandingResult>(),
    signedAt: instant('signed_at'),
    /** The guest that was let in last, or that was asked about where none was. */
    guest: jsonb('guest').$type<BootInfo>().notNull(),
    /** How much is known by it: 0 it was denied, 1 a gateway’s, 2 a KMS’s. */
    guestRank: integer('guest_rank').notNull(),
    lastAt: instant('last_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.policySha256, t.appId, t.composeHash] }),
    isDigest('gate_standings_compose_hash_form', t.composeHash),
    oneOf('gate_standings_result', t.result, ['passed', 'failed']),
    index('gate_standings_by_app').on(t.appId, t.composeHash),
    index('gate_standings_by_policy').on(t.policy, t.lastAt),
    index('gate_standings_by_age').on(t.lastAt),
    index('gate_standings_unsigned').on(t.changedAt).where(sql`${t.admitted} and ${t.signedResult} is distinct from ${t.result}`),
  ],
)

/** Signed summaries of how an app-compose stands with a policy, at most one for each change. Append-only. */
export const gateSummaries = pgTable(
  'gate_summaries',
  {
    attestationId: text('attestation_id')
      .primaryKey()
      .references(() => attestations.id),
    policySha256: digest('policy_sha256').notNull(),
    appId: text('app_id').notNull(),
    composeHash: digest('compose_hash').notNull(),
    change: integer('change').notNull(),
    result: text('result').$type<StandingResult>().notNull(),
  },
  (t) => [
    unique('gate_summaries_once').on(t.policySha256, t.appId, t.composeHash, t.change),
    index('gate_summaries_by_app').on(t.appId, t.composeHash),
    holds('gate_summaries_change', sql`${t.change} > 0`),
  ],
)
