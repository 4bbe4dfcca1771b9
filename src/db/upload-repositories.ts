import { and, asc, count, eq, exists, gte, inArray, lt, min, not, sql, sum } from 'drizzle-orm'
import type { Builders, Uploads } from '../app/store/blob-ports.ts'
import { pageOf } from '../app/store/page.ts'
import { heldBy } from './held-uploads.ts'
import { forget, keep, unkept } from './keep-blobs.ts'
import { keyset } from './keyset.ts'
import { blobReferences, blobs, builderBlobs, builders, receivedUploads, uploads } from './schema/blobs.ts'
import type { Session } from './session.ts'

export function uploadsOf(session: Session): Uploads {
  return {
    add: (upload) =>
      session(async (db) => {
        await keep(db, [upload], upload.createdAt)
        await db
          .insert(uploads)
          .values(upload)
          .onConflictDoUpdate({ target: [uploads.ownerId, uploads.sha256], set: { createdAt: upload.createdAt } })
      }),
    find: (ownerId, sha256) =>
      session(async (db) => {
        const [found] = await db
          .select()
          .from(uploads)
          .where(and(eq(uploads.ownerId, ownerId), eq(uploads.sha256, sha256)))
          .for('share')
        return found
      }),
    receive: (received) =>
      session(async (db) => {
        await db.insert(receivedUploads).values(received)
      }),
    received: (ownerId, since) =>
      session(async (db) => {
        const [found] = await db
          .select({ bytes: sum(receivedUploads.bytes).mapWith(Number), count: count(), oldest: min(receivedUploads.at) })
          .from(receivedUploads)
          .where(and(eq(receivedUploads.ownerId, ownerId), gte(receivedUploads.at, since)))
        return { bytes: found?.bytes ?? 0, count: found?.count ?? 0, oldest: found?.oldest ?? null }
      }),
    forgetReceived: (before, limit) =>
      session(async (db) => {
        const old = db
          .select({ id: receivedUploads.id })
          .from(receivedUploads)
          .where(lt(receivedUploads.at, before))
          .orderBy(asc(receivedUploads.at))
          .limit(limit)
        return (await db.delete(receivedUploads).where(inArray(receivedUploads.id, old)).returning({ id: receivedUploads.id })).length
      }),
    held: (ownerId) => session((db) => heldBy(db, ownerId)),
    sweep: (before, limit) =>
      session(async (db) => {
        const old = await db
          .select({ ownerId: uploads.ownerId, sha256: uploads.sha256 })
          .from(uploads)
          .where(lt(uploads.createdAt, before))
          .orderBy(asc(uploads.createdAt), asc(uploads.sha256))
          .limit(limit)
          .for('update', { skipLocked: true })
        for (const { ownerId, sha256 } of old) await db.delete(uploads).where(and(eq(uploads.ownerId, ownerId), eq(uploads.sha256, sha256)))
        const digests = old.map(({ sha256 }) => sha256)
        const referred = db.select({ one: sql`1` }).from(blobReferences).where(eq(blobReferences.sha256, blobs.sha256))
        const idle = await db
          .select({ sha256: blobs.sha256 })
          .from(blobs)
          // Kept by somebody a moment ago: it is collected later.
          .where(and(inArray(blobs.sha256, digests), lt(blobs.createdAt, before), not(exists(referred)), ...unkept(db)))
          .for('update', { skipLocked: true })
        const gone = idle.map(({ sha256 }) => sha256)
        await forget(db, gone)
        return gone
      }),
  }
}

export function buildersOf(session: Session): Builders {
  return {
    add: (builder, parts) =>
      session(async (db) => {
        await keep(db, parts, builder.addedAt)
        await db.insert(builders).values(builder).onConflictDoNothing()
        await db
          .insert(builderBlobs)
          .values(parts.map(({ sha256 }) => ({ builder: builder.digest, sha256 })))
          .onConflictDoNothing()
      }),
    find: (digest) =>
      session(async (db) => {
        const [found] = await db.select().from(builders).where(eq(builders.digest, digest))
        return found
      }),
    page: (request) =>
      session(async (db) => {
        const { after, order, limit } = keyset(request, builders.addedAt, builders.digest)
        const rows = await db
          .select()
          .from(builders)
          .where(after)
          .orderBy(...order)
          .limit(limit)
        return pageOf(rows, request.limit, { item: (row) => row, place: (row) => ({ at: row.addedAt, id: row.digest }) })
      }),
  }
}
