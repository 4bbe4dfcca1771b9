import { sql } from 'drizzle-orm'
import { index, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import type { Inspection } from '../../app/inspect/inspection.ts'
import { digest, holds, id, instant, isDigest, oneOf } from './columns.ts'
import { deployments } from './deployments.ts'

/** What was seen of deployed apps: a row for each change, with how often it was so. */
export const observations = pgTable(
  'observations',
  {
    id: id(),
    deploymentId: text('deployment_id')
      .notNull()
      .references(() => deployments.id),
    appId: text('app_id').notNull(),
    url: text('url').notNull(),
    /** Null: it could not be looked at. */
    verdict: text('verdict').$type<Inspection['verdict']>(),
    code: text('code'),
    document: jsonb('document').$type<Inspection>(),
    outcome: digest('outcome').notNull(),
    count: integer('count').notNull(),
    firstAt: instant('first_at').notNull(),
    lastAt: instant('last_at').notNull(),
  },
  (t) => [
    oneOf('observations_verdict', t.verdict, ['verified', 'simulated', 'unproven', 'failed'] satisfies Inspection['verdict'][]),
    holds('observations_seen', sql`(${t.verdict} is null) = (${t.document} is null) and (${t.verdict} is null) = (${t.code} is not null)`),
    isDigest('observations_outcome_form', t.outcome),
    index('observations_page').on(t.appId, t.firstAt, t.id),
    index('observations_by_deployment').on(t.deploymentId, t.firstAt, t.id),
    index('observations_by_age').on(t.lastAt),
  ],
)
