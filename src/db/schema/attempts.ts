import { sql } from 'drizzle-orm'
import { index, integer, jsonb, pgTable, primaryKey, text, unique } from 'drizzle-orm/pg-core'
import type { Attempt, Outcome, OutcomeReason } from '../../../verifier/model/attempt.ts'
import type { SignedIndex } from '../../../verifier/model/lock.ts'
import type { TryEnding } from '../../app/lifecycle/attempt-state.ts'
import { ATTEMPT_ROUTES, type AttemptRoute, type WorkerCapabilities } from '../../app/store/records.ts'
import { digest, holds, id, instant, isDigest, oneOf } from './columns.ts'
import { verifications } from './verifications.ts'

/** Who may run attempts, by the key that reports are signed with. */
export const workers = pgTable(
  'workers',
  {
    id: id(),
    name: text('name').notNull().unique('workers_name'),
    /** Ed25519, SubjectPublicKeyInfo (RFC 8410) in base64. */
    publicKey: text('public_key').notNull().unique('workers_public_key'),
    place: text('place').$type<'in-process' | 'remote'>().notNull().default('remote'),
    capabilities: jsonb('capabilities').$type<WorkerCapabilities>(),
    addedAt: instant('added_at').notNull(),
    revokedAt: instant('revoked_at'),
    lastSeenAt: instant('last_seen_at'),
  },
  (t) => [
    oneOf('workers_place', t.place, ['in-process', 'remote']),
    index('workers_page').on(t.addedAt, t.id),
    index('workers_taking').on(t.place).where(sql`${t.revokedAt} is null`),
  ],
)

/** One run of a recipe. A trigger refuses every change of one that is committed. */
export const attempts = pgTable(
  'attempts',
  {
    id: id(),
    verificationId: text('verification_id')
      .notNull()
      .references(() => verifications.id),
    number: integer('number').notNull(),
    mode: text('mode').$type<'live' | 'replay'>().notNull(),
    route: text('route').$type<AttemptRoute>().notNull(),
    state: text('state').$type<'queued' | 'leased' | 'committed'>().notNull(),
    /** Tries that were begun. */
    tries: integer('tries').notNull(),
    outcome: text('outcome').$type<Outcome>(),
    report: jsonb('report').$type<Attempt>(),
    /** Signed indexes that it took its packages by; null where no worker reported. */
    indexes: jsonb('indexes').$type<readonly SignedIndex[]>(),
    /** Of the document as it was reported: by it a report that is sent again is known. Null where no worker reported. */
    reportDigest: digest('report_digest'),
    /** Of the lease that holds the attempt, or that committed it. */
    leaseId: text('lease_id'),
    workerId: text('worker_id').references(() => workers.id),
    leasedAt: instant('leased_at'),
    leaseExpiresAt: instant('lease_expires_at'),
    createdAt: instant('created_at').notNull(),
    committedAt: instant('committed_at'),
  },
  (t) => [
    unique('attempts_number').on(t.verificationId, t.number),
    isDigest('attempts_report_digest_form', t.reportDigest),
    oneOf('attempts_mode', t.mode, ['live', 'replay']),
    oneOf('attempts_route', t.route, ATTEMPT_ROUTES),
    oneOf('attempts_state', t.state, ['queued', 'leased', 'committed']),
    holds('attempts_number_range', sql`${t.number} between 1 and 9`),
    holds('attempts_tries', sql`${t.tries} >= 0`),
    holds('attempts_lease', sql`(${t.state} = 'leased') = (${t.leaseExpiresAt} is not null)`),
    holds(
      'attempts_lease_holder',
      sql`${t.state} <> 'leased' or (${t.leaseId} is not null and ${t.workerId} is not null and ${t.leasedAt} is not null)`,
    ),
    holds('attempts_no_lease_when_queued', sql`${t.state} <> 'queued' or ${t.leaseId} is null`),
    holds(
      'attempts_committed',
      sql`(${t.state} = 'committed') = (${t.outcome} is not null and ${t.report} is not null and ${t.committedAt} is not null)`,
    ),
    index('attempts_lease_expiry').on(t.leaseExpiresAt).where(sql`${t.state} = 'leased'`),
  ],
)

/** What ended each try: nothing that ran is forgotten. Append-only. */
export const attemptTries = pgTable(
  'attempt_tries',
  {
    attemptId: text('attempt_id')
      .notNull()
      .references(() => attempts.id),
    number: integer('number').notNull(),
    leaseId: text('lease_id').notNull(),
    workerId: text('worker_id')
      .notNull()
      .references(() => workers.id),
    startedAt: instant('started_at').notNull(),
    endedAt: instant('ended_at').notNull(),
    ending: text('ending').$type<TryEnding>().notNull(),
    reason: jsonb('reason').$type<OutcomeReason>(),
  },
  (t) => [
    primaryKey({ columns: [t.attemptId, t.number] }),
    oneOf('attempt_tries_ending', t.ending, ['committed', 'infrastructure', 'lease-lost', 'cancelled']),
  ],
)

/** Which workers had an attempt of a verification, for as long as more of its attempts are to be done. */
export const verificationWorkers = pgTable(
  'verification_workers',
  {
    workerId: text('worker_id')
      .notNull()
      .references(() => workers.id),
    verificationId: text('verification_id')
      .notNull()
      .references(() => verifications.id),
  },
  (t) => [primaryKey({ columns: [t.workerId, t.verificationId] }), index('verification_workers_by_verification').on(t.verificationId)],
)

/** What a worker showed to have of the bytes that it is going to report, until it has. */
export const handedBlobs = pgTable(
  'handed_blobs',
  {
    attemptId: text('attempt_id')
      .notNull()
      .references(() => attempts.id),
    leaseId: text('lease_id').notNull(),
    sha256: digest('sha256').notNull(),
  },
  (t) => [primaryKey({ columns: [t.attemptId, t.leaseId, t.sha256] }), isDigest('handed_blobs_sha256_form', t.sha256)],
)
