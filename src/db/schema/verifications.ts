import { type SQL, sql } from 'drizzle-orm'
import { type AnyPgColumn, boolean, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { Claim } from '../../../verifier/model/claim.ts'
import type { Tier } from '../../../verifier/model/comparison.ts'
import type { RecipeReading } from '../../../verifier/model/recipe.ts'
import type { PinnedSource } from '../../../verifier/model/source.ts'
import type { Verdict, VerdictReason } from '../../../verifier/model/verdict.ts'
import type { SubmittedSource, VerificationState } from '../../app/store/records.ts'
import { digest, holds, id, instant, isDigest, oneOf } from './columns.ts'
import { owners } from './owners.ts'

type Chosen = Readonly<Record<'state' | 'reusedFrom' | 'builderWanted' | 'builder', AnyPgColumn>>

/** Of a verification that was built anew, in a builder that nobody named. */
const chosenByWorker = (t: Chosen): SQL =>
  sql`${t.state} = 'finished' and ${t.reusedFrom} is null and ${t.builderWanted} is null and ${t.builder} is not null`

/** One submission and what became of it. A trigger refuses every change of one that is finished or cancelled. */
export const verifications = pgTable(
  'verifications',
  {
    id: id(),
    ownerId: text('owner_id')
      .notNull()
      .references(() => owners.id),
    source: jsonb('source').$type<SubmittedSource>().notNull(),
    /** Repository URL or name of the archive: what lists are filtered by. */
    sourceName: text('source_name').notNull(),
    pinned: jsonb('pinned').$type<PinnedSource>(),
    upload: digest('upload'),
    claims: jsonb('claims').$type<readonly Claim[]>().notNull(),
    lock: digest('lock'),
    inputs: digest('inputs'),
    /** Asked for, until it is finished; then what was taken. */
    builderWanted: digest('builder_wanted'),
    maxAgeSeconds: integer('max_age_seconds'),
    trusted: boolean('trusted').notNull().default(true),
    /** What preparing it gave: null until then. */
    sourceTar: digest('source_tar'),
    recipe: jsonb('recipe').$type<RecipeReading>(),
    architecture: text('architecture'),
    /** The publisher's lock, or what an inputs archive brought. */
    preparedLock: digest('prepared_lock'),
    /** Of the pinned source: what an earlier rebuild is found by. */
    treeDigest: digest('tree_digest'),
    reusedFrom: text('reused_from'),
    reasons: jsonb('reasons').$type<readonly VerdictReason[]>().notNull().default([]),
    attemptsWanted: integer('attempts_wanted').notNull(),
    callbackUrl: text('callback_url'),
    fingerprint: digest('fingerprint').notNull(),
    state: text('state').$type<VerificationState>().notNull(),
    /** Set when no attempt is left to commit; from then on claims may be shown. */
    attemptsCommitted: boolean('attempts_committed').notNull().default(false),
    verdict: text('verdict').$type<Verdict>(),
    tier: text('tier').$type<Tier>(),
    builder: digest('builder'),
    report: digest('report'),
    createdAt: instant('created_at').notNull(),
    finishedAt: instant('finished_at'),
  },
  (t) => [
    isDigest('verifications_fingerprint_form', t.fingerprint),
    isDigest('verifications_upload_form', t.upload),
    isDigest('verifications_lock_form', t.lock),
    isDigest('verifications_inputs_form', t.inputs),
    isDigest('verifications_builder_form', t.builder),
    isDigest('verifications_report_form', t.report),
    oneOf('verifications_state', t.state, ['accepted', 'running', 'finished', 'cancelled']),
    oneOf('verifications_verdict', t.verdict, ['reproduced', 'mismatch', 'nondeterministic', 'build-failed', 'refused', 'undecided']),
    holds('verifications_attempts_wanted', sql`${t.attemptsWanted} between 1 and 9`),
    holds('verifications_verdict_when_finished', sql`(${t.state} = 'finished') = (${t.verdict} is not null)`),
    isDigest('verifications_builder_wanted_form', t.builderWanted),
    isDigest('verifications_source_tar_form', t.sourceTar),
    isDigest('verifications_prepared_lock_form', t.preparedLock),
    isDigest('verifications_tree_digest_form', t.treeDigest),
    holds(
      'verifications_prepared',
      sql`(${t.sourceTar} is null) = (${t.recipe} is null or ${t.architecture} is null or ${t.pinned} is null)`,
    ),
    // A source that could not be pinned leaves nothing to report about.
    holds(
      'verifications_report_of_finished',
      sql`case when ${t.state} = 'finished' then ${t.report} is not null or (${t.verdict} = 'undecided' and ${t.pinned} is null) else ${t.report} is null end`,
    ),
    holds('verifications_tier_when_reproduced', sql`(${t.verdict} is not distinct from 'reproduced') = (${t.tier} is not null)`),
    holds('verifications_finished_at', sql`(${t.state} in ('finished', 'cancelled')) = (${t.finishedAt} is not null)`),
    holds('verifications_committed_when_finished', sql`${t.state} <> 'finished' or ${t.attemptsCommitted}`),
    index('verifications_open_by_owner').on(t.ownerId).where(sql`${t.state} in ('accepted', 'running')`),
    index('verifications_rebuilt').on(t.treeDigest, t.finishedAt).where(sql`${t.state} = 'finished' and ${t.reusedFrom} is null`),
    index('verifications_chosen_last').on(t.architecture, t.trusted, t.finishedAt).where(chosenByWorker(t)),
    uniqueIndex('verifications_open_fingerprint').on(t.fingerprint).where(sql`${t.state} in ('accepted', 'running')`),
    index('verifications_page').on(t.createdAt, t.id),
    index('verifications_page_by_verdict').on(t.verdict, t.createdAt, t.id),
    index('verifications_page_by_source').on(t.sourceName, t.createdAt, t.id),
    index('verifications_page_by_builder').on(t.builder, t.createdAt, t.id),
    index('verifications_page_by_owner').on(t.ownerId, t.createdAt, t.id),
    index('verifications_open').on(t.createdAt, t.id).where(sql`${t.state} in ('accepted', 'running')`),
  ],
)

export const CHOSEN_BY_WORKER = chosenByWorker(verifications)

/** What a client said once must not happen twice. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    ownerId: text('owner_id')
      .notNull()
      .references(() => owners.id),
    key: text('key').notNull(),
    verificationId: text('verification_id')
      .notNull()
      .references(() => verifications.id),
    requestDigest: digest('request_digest').notNull(),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.ownerId, t.key] }),
    isDigest('idempotency_keys_request_digest_form', t.requestDigest),
    index('idempotency_keys_expiry').on(t.expiresAt),
  ],
)

/** What verifications are about, by digest. The time is the verification's, so that a page needs no other table. */
export const subjects = pgTable(
  'subjects',
  {
    verificationId: text('verification_id')
      .notNull()
      .references(() => verifications.id),
    sha256: digest('sha256').notNull(),
    /** Of source, claims and owner (`known-subjects.ts`). */
    key: digest('key').notNull(),
    kind: text('kind').$type<'claim' | 'artifact'>().notNull(),
    name: text('name').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.verificationId, t.sha256, t.kind, t.name] }),
    isDigest('subjects_sha256_form', t.sha256),
    oneOf('subjects_kind', t.kind, ['claim', 'artifact']),
    isDigest('subjects_key_form', t.key),
    index('subjects_page').on(t.sha256, t.createdAt, t.verificationId),
    index('subjects_page_by_key').on(t.sha256, t.key, t.createdAt, t.verificationId),
  ],
)
