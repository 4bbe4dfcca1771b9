import { sql } from 'drizzle-orm'
import { index, jsonb, pgTable, text, unique } from 'drizzle-orm/pg-core'
import { digest, holds, id, instant, isDigest, oneOf } from './columns.ts'

/** Who submits, as authenticated. A local owner's issuer is `local`. */
export const owners = pgTable(
  'owners',
  {
    id: id(),
    kind: text('kind').$type<'local' | 'oidc'>().notNull(),
    issuer: text('issuer').notNull(),
    subject: text('subject').notNull(),
    name: text('name').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [
    unique('owners_issuer_subject').on(t.issuer, t.subject),
    oneOf('owners_kind', t.kind, ['local', 'oidc']),
    holds('owners_local_issuer', sql`(${t.kind} = 'local') = (${t.issuer} = 'local')`),
    index('owners_page').on(t.createdAt, t.id),
  ],
)

/** API tokens: 32 random bytes, of which only the digest is here. */
export const tokens = pgTable(
  'tokens',
  {
    id: id(),
    ownerId: text('owner_id')
      .notNull()
      .references(() => owners.id),
    secretDigest: digest('secret_digest').notNull().unique('tokens_secret_digest'),
    name: text('name').notNull(),
    scopes: jsonb('scopes').$type<readonly string[]>().notNull(),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
    revokedAt: instant('revoked_at'),
    lastUsedAt: instant('last_used_at'),
  },
  (t) => [isDigest('tokens_secret_digest_form', t.secretDigest), index('tokens_page').on(t.createdAt, t.id)],
)
