import { and, asc, count, eq, gt, inArray, lte, max, min, sql } from 'drizzle-orm'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { AttemptEvent } from '../../verifier/model/event.ts'
import type { Blobs } from '../app/store/blob-ports.ts'
import { pageOf } from '../app/store/page.ts'
import type { Attestations, Events } from '../app/store/store-ports.ts'
import { attestedSubjects, rebuildersOf } from './attested-subjects.ts'
import { collectedBlobsOf } from './collected-blobs.ts'
import { eventIntakesOf } from './event-intakes.ts'
import { keep } from './keep-blobs.ts'
import { keptBlobsOf } from './kept-blobs.ts'
import { keyset } from './keyset.ts'
import { sendNotice } from './notices.ts'
import { attestations, signingBacklog } from './schema/attestations.ts'
import { blobReferences, blobs, lockInputs } from './schema/blobs.ts'
import { events } from './schema/events.ts'
import { verifications } from './schema/verifications.ts'
import type { Session } from './session.ts'
import { shownAs } from './shown-blobs.ts'

/** Rows of one INSERT: a statement has at most 65535 parameters. */
const BATCH = 1000

export function eventsOf(session: Session): Events {
  return {
    ...eventIntakesOf(session),
    append: (verificationId, added) =>
      session(async (db) => {
        // Held until the transaction ends: numbers have no gap, and who reads `seq` has read all before it.
        await db.execute(sql`select pg_advisory_xact_lock(hashtextextended(${verificationId}, 0))`)
        const [last] = await db
          .select({ seq: max(events.seq) })
          .from(events)
          .where(eq(events.verificationId, verificationId))
        let seq = last?.seq ?? 0
        for (let from = 0; from < added.length; from += BATCH) {
          const rows = added.slice(from, from + BATCH).map(({ attempt, at, ...body }) => {
            seq += 1
            return { verificationId, seq, attempt, at: new Date(at), kind: body.kind, body }
          })
          await db.insert(events).values(rows)
        }
        await sendNotice(db, 'events', verificationId)
        return seq
      }),
    after: (verificationId, seq, limit) =>
      session(async (db) => {
        const later = and(eq(events.verificationId, verificationId), gt(events.seq, seq))
        const rows = await db.select().from(events).where(later).orderBy(asc(events.seq)).limit(limit)
        return rows.map(({ seq: number, attempt, at, body }) => AttemptEvent.parse({ ...body, seq: number, attempt, at: at.toISOString() }))
      }),
    lines: ({ verificationId, attempt, after, limit }) =>
      session((db) =>
        db
          .select({ seq: events.seq, line: sql<string>`${events.body} ->> 'line'` })
          .from(events)
          .where(
            and(eq(events.verificationId, verificationId), eq(events.attempt, attempt), gt(events.seq, after), sql`${events.kind} = 'log'`),
          )
          .orderBy(asc(events.seq))
          .limit(limit),
      ),
  }
}

export function attestationsOf(session: Session): Attestations {
  const task = (verificationId: string, predicateType: string) =>
    and(eq(signingBacklog.verificationId, verificationId), eq(signingBacklog.predicateType, predicateType))
  return {
    publish: (attestation) =>
      session(async (db) => {
        const made = await db.insert(attestations).values(attestation).onConflictDoNothing().returning({ id: attestations.id })
        const { verificationId, predicateType } = attestation
        if (verificationId !== null) await db.delete(signingBacklog).where(task(verificationId, predicateType))
        return made.length > 0
      }),
    of: (verificationId) =>
      session((db) =>
        db.select().from(attestations).where(eq(attestations.verificationId, verificationId)).orderBy(attestations.predicateType),
      ),
    read: (id) =>
      session(async (db) => {
        const [found] = await db.select().from(attestations).where(eq(attestations.id, id))
        return found
      }),
    rebuildersOf: (o) => session((db) => rebuildersOf(db, o)),
    about: (o) => session((db) => attestedSubjects(db, o)),
    among: (ids) =>
      session(async (db) =>
        ids.length === 0
          ? []
          : await db
              .select()
              .from(attestations)
              .where(inArray(attestations.verificationId, [...ids]))
              .orderBy(attestations.predicateType),
      ),
    waiting: (ids) =>
      session(async (db) =>
        ids.length === 0
          ? []
          : await db
              .select()
              .from(signingBacklog)
              .where(inArray(signingBacklog.verificationId, [...ids]))
              .orderBy(signingBacklog.predicateType),
      ),
    page: (request) =>
      session(async (db) => {
        const { after, order, limit } = keyset(request, attestations.createdAt, attestations.id)
        const rows = await db
          .select()
          .from(attestations)
          .where(after)
          .orderBy(...order)
          .limit(limit)
        return pageOf(rows, request.limit, { item: (row) => row, place: (row) => ({ at: row.createdAt, id: row.id }) })
      }),
    plan: ({ verificationId, predicateType, at }) =>
      session(async (db) => {
        const done = and(eq(attestations.verificationId, verificationId), eq(attestations.predicateType, predicateType))
        if ((await db.select({ id: attestations.id }).from(attestations).where(done)).length > 0) return false
        const made = await db
          .insert(signingBacklog)
          .values({ verificationId, predicateType, tries: 0, createdAt: at, nextAt: at })
          .onConflictDoNothing()
          .returning({ tries: signingBacklog.tries })
        return made.length > 0
      }),
    failed: ({ verificationId, predicateType, code, nextAt }) =>
      session(async (db) => {
        await db
          .update(signingBacklog)
          .set({ tries: sql`${signingBacklog.tries} + 1`, lastCode: code, nextAt })
          .where(task(verificationId, predicateType))
      }),
    due: (now, limit) =>
      session((db) =>
        db.select().from(signingBacklog).where(lte(signingBacklog.nextAt, now)).orderBy(asc(signingBacklog.nextAt)).limit(limit),
      ),
    backlog: () =>
      session(async (db) => {
        const [found] = await db.select({ tasks: count(), oldest: min(signingBacklog.createdAt) }).from(signingBacklog)
        return { tasks: found?.tasks ?? 0, oldest: found?.oldest ?? null }
      }),
  }
}

export function blobsOf(session: Session): Blobs {
  return {
    known: (digests) =>
      session(async (db) => {
        const found = new Set<Sha256>()
        for (let from = 0; from < digests.length; from += BATCH) {
          const some = inArray(blobs.sha256, digests.slice(from, from + BATCH))
          for (const { sha256 } of await db.select({ sha256: blobs.sha256 }).from(blobs).where(some)) found.add(sha256)
        }
        return found
      }),
    ...keptBlobsOf(session),
    lockInputs: ({ lock, inputs, at }) =>
      session(async (db) => {
        for (let from = 0; from < inputs.length; from += BATCH) {
          const some = inputs.slice(from, from + BATCH)
          await keep(db, some, at)
          await db
            .insert(lockInputs)
            .values(some.map(({ sha256 }) => ({ lock, sha256 })))
            .onConflictDoNothing()
        }
      }),
    partsOf: (sha256) =>
      session(async (db) => {
        const rows = await db
          .select({
            verificationId: blobReferences.verificationId,
            role: blobReferences.role,
            state: verifications.state,
            committed: verifications.attemptsCommitted,
          })
          .from(blobReferences)
          .innerJoin(verifications, eq(verifications.id, blobReferences.verificationId))
          .where(eq(blobReferences.sha256, sha256))
          .orderBy(asc(blobReferences.verificationId))
          .limit(BATCH)
        return rows.map(({ state, committed, ...part }) => ({ ...part, shown: committed && state !== 'cancelled' }))
      }),
    shownAs: (sha256) => session((db) => shownAs(db, sha256)),
    refer: ({ sha256, size, verificationId, role, at }) =>
      session(async (db) => {
        await keep(db, [{ sha256, size }], at)
        await db.insert(blobReferences).values({ sha256, verificationId, role }).onConflictDoNothing()
      }),
    ...collectedBlobsOf(session),
    of: (verificationId) =>
      session((db) =>
        db
          .select({ sha256: blobs.sha256, size: blobs.size, role: blobReferences.role })
          .from(blobReferences)
          .innerJoin(blobs, eq(blobs.sha256, blobReferences.sha256))
          .where(eq(blobReferences.verificationId, verificationId))
          .orderBy(blobReferences.role, blobs.sha256),
      ),
  }
}
