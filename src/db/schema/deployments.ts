import { type SQL, sql } from 'drizzle-orm'
import { type AnyPgColumn, boolean, index, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { type DeploymentEvent, DeploymentState, type DeployOrder } from '../../app/deploy/deployment.ts'
import type { StoredDeployment } from '../../app/store/deployment-ports.ts'
import { blobs } from './blobs.ts'
import { digest, holds, id, instant, isDigest, oneOf } from './columns.ts'
import { owners } from './owners.ts'

const STATES: readonly StoredDeployment['state'][] = [...DeploymentState.options, 'announced']

/** Under way, or observed. */
const alive = (t: Readonly<Record<'state' | 'withdrawnAt', AnyPgColumn>>): SQL =>
  sql`${t.withdrawnAt} is null and ${t.state} not in ('denied', 'failed')`

/** Apps that run, or are to: ordered here, or announced. */
export const deployments = pgTable(
  'deployments',
  {
    id: id(),
    ownerId: text('owner_id')
      .notNull()
      .references(() => owners.id),
    name: text('name').notNull(),
    appId: text('app_id'),
    composeHash: digest('compose_hash').notNull(),
    url: text('url'),
    state: text('state').$type<StoredDeployment['state']>().notNull(),
    /** Of what was ordered here. */
    target: text('target'),
    policy: text('policy'),
    order: jsonb('order').$type<DeployOrder>(),
    admit: boolean('admit'),
    events: jsonb('events').$type<readonly DeploymentEvent[]>(),
    /** What the client calls its request, and the digest of that. */
    saidKey: text('said_key'),
    saidDigest: digest('said_digest'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
    withdrawnAt: instant('withdrawn_at'),
  },
  (t) => [
    oneOf('deployments_state', t.state, STATES),
    isDigest('deployments_compose_hash_form', t.composeHash),
    holds('deployments_app_id_form', sql`${t.appId} ~ '^[0-9a-f]{40}$'`),
    holds(
      'deployments_ordered',
      sql`num_nulls(${t.target}, ${t.policy}, ${t.order}, ${t.admit}, ${t.events}) = case when ${t.state} = 'announced' then 5 else 0 end`,
    ),
    holds('deployments_said', sql`(${t.saidKey} is null) = (${t.saidDigest} is null)`),
    uniqueIndex('deployments_said_once').on(t.ownerId, t.saidKey).where(sql`${t.saidKey} is not null`),
    index('deployments_page').on(t.createdAt, t.id),
    index('deployments_page_by_app').on(t.appId, t.createdAt, t.id),
    index('deployments_page_by_owner').on(t.ownerId, t.createdAt, t.id),
    index('deployments_page_by_state').on(t.state, t.createdAt, t.id),
    index('deployments_alive').on(t.createdAt, t.id).where(alive(t)),
    index('deployments_alive_by_owner').on(t.ownerId).where(alive(t)),
  ],
)

export const ALIVE = alive(deployments)

/** App-composes that deployments are about: ordered, offered or attested. */
export const deploymentComposes = pgTable(
  'deployment_composes',
  {
    deploymentId: text('deployment_id')
      .notNull()
      .references(() => deployments.id),
    sha256: digest('sha256')
      .notNull()
      .references(() => blobs.sha256),
  },
  (t) => [primaryKey({ columns: [t.deploymentId, t.sha256] }), index('deployment_composes_by_hash').on(t.sha256)],
)
