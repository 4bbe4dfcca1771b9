import { and, eq, gt, inArray, isNull, lt, lte, ne, or, sql } from 'drizzle-orm'
import type { IdempotencyKeys } from '../app/store/idempotency-ports.ts'
import type { Owners, Tokens } from '../app/store/owner-ports.ts'
import { pageOf } from '../app/store/page.ts'
import type { Token } from '../app/store/records.ts'
import { keyset } from './keyset.ts'
import { owners, tokens } from './schema/owners.ts'
import { idempotencyKeys } from './schema/verifications.ts'
import type { Session } from './session.ts'

export function ownersOf(session: Session): Owners {
  const same = (issuer: string, subject: string) => and(eq(owners.issuer, issuer), eq(owners.subject, subject))
  return {
    ensure: (owner) =>
      session(async (db) => {
        const [made] = await db
          .insert(owners)
          .values(owner)
          .onConflictDoUpdate({
            target: [owners.issuer, owners.subject],
            set: { name: owner.name },
            setWhere: ne(owners.name, owner.name),
          })
          .returning()
        if (made !== undefined) return made
        const [found] = await db.select().from(owners).where(same(owner.issuer, owner.subject))
        return found ?? owner
      }),
    find: (id) =>
      session(async (db) => {
        const [found] = await db.select().from(owners).where(eq(owners.id, id))
        return found
      }),
    hold: (id) =>
      session(async (db) => {
        // Whatever refers to an owner may still be added by others.
        await db.select({ id: owners.id }).from(owners).where(eq(owners.id, id)).for('no key update')
      }),
    withSubject: (issuer, subject) =>
      session(async (db) => {
        const [found] = await db.select().from(owners).where(same(issuer, subject))
        return found
      }),
    among: (ids) =>
      session(async (db) =>
        ids.length === 0
          ? []
          : await db
              .select()
              .from(owners)
              .where(inArray(owners.id, [...ids])),
      ),
    page: (request) =>
      session(async (db) => {
        const { after, order, limit } = keyset(request, owners.createdAt, owners.id)
        const rows = await db
          .select()
          .from(owners)
          .where(after)
          .orderBy(...order)
          .limit(limit)
        return pageOf(rows, request.limit, { item: (row) => row, place: (row) => ({ at: row.createdAt, id: row.id }) })
      }),
  }
}

export function tokensOf(session: Session): Tokens {
  return {
    insert: (token, secretDigest) =>
      session(async (db) => {
        await db.insert(tokens).values({ ...token, secretDigest })
      }),
    withSecret: (secretDigest, now) =>
      session(async (db) => {
        const usable = and(eq(tokens.secretDigest, secretDigest), isNull(tokens.revokedAt), gt(tokens.expiresAt, now))
        const [row] = await db.select().from(tokens).innerJoin(owners, eq(owners.id, tokens.ownerId)).where(usable)
        return row === undefined ? undefined : { token: tokenOf(row.tokens), owner: row.owners }
      }),
    used: (id, { now, since }) =>
      session(async (db) => {
        const stale = or(isNull(tokens.lastUsedAt), lt(tokens.lastUsedAt, since))
        await db
          .update(tokens)
          .set({ lastUsedAt: now })
          .where(and(eq(tokens.id, id), stale))
      }),
    revoke: (id, now) =>
      session(async (db) => {
        const revokedAt = sql`coalesce(${tokens.revokedAt}, ${now.toISOString()}::timestamptz)`
        const [row] = await db.update(tokens).set({ revokedAt }).where(eq(tokens.id, id)).returning()
        return row === undefined ? undefined : tokenOf(row)
      }),
    page: (request) =>
      session(async (db) => {
        const { after, order, limit } = keyset(request, tokens.createdAt, tokens.id)
        const rows = await db
          .select()
          .from(tokens)
          .where(after)
          .orderBy(...order)
          .limit(limit)
        return pageOf(rows, request.limit, { item: tokenOf, place: (row) => ({ at: row.createdAt, id: row.id }) })
      }),
  }
}

export function idempotencyKeysOf(session: Session): IdempotencyKeys {
  const of = (ownerId: string, key: string) => and(eq(idempotencyKeys.ownerId, ownerId), eq(idempotencyKeys.key, key))
  const said = { verificationId: idempotencyKeys.verificationId, requestDigest: idempotencyKeys.requestDigest }
  return {
    claim: ({ ownerId, key, verificationId, requestDigest, now, expiresAt }) =>
      session(async (db) => {
        const [made] = await db
          .insert(idempotencyKeys)
          .values({ ownerId, key, verificationId, requestDigest, createdAt: now, expiresAt })
          .onConflictDoUpdate({
            target: [idempotencyKeys.ownerId, idempotencyKeys.key],
            set: { verificationId, requestDigest, createdAt: now, expiresAt },
            setWhere: lte(idempotencyKeys.expiresAt, now),
          })
          .returning(said)
        if (made !== undefined) return { fresh: true, ...made }
        const [found] = await db.select(said).from(idempotencyKeys).where(of(ownerId, key))
        return { fresh: false, ...(found ?? { verificationId, requestDigest }) }
      }),
    find: (ownerId, key, now) =>
      session(async (db) => {
        const [found] = await db
          .select(said)
          .from(idempotencyKeys)
          .where(and(of(ownerId, key), gt(idempotencyKeys.expiresAt, now)))
        return found
      }),
    sweep: (now, limit) =>
      session(async (db) => {
        const old = await db
          .select({ ownerId: idempotencyKeys.ownerId, key: idempotencyKeys.key })
          .from(idempotencyKeys)
          .where(lte(idempotencyKeys.expiresAt, now))
          .orderBy(idempotencyKeys.expiresAt)
          .limit(limit)
        let removed = 0
        for (const { ownerId, key } of old) {
          const still = and(of(ownerId, key), lte(idempotencyKeys.expiresAt, now))
          removed += (await db.delete(idempotencyKeys).where(still).returning({ key: idempotencyKeys.key })).length
        }
        return removed
      }),
  }
}

function tokenOf(row: typeof tokens.$inferSelect): Token {
  const { id, ownerId, name, scopes, createdAt, expiresAt, revokedAt, lastUsedAt } = row
  return { id, ownerId, name, scopes, createdAt, expiresAt, revokedAt, lastUsedAt }
}
