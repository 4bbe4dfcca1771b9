import { and, count, desc, eq, exists, inArray, not, or, sql } from 'drizzle-orm'
import { Failure } from '../../verifier/model/failure.ts'
import { fingerprintOf } from '../app/store/fingerprint.ts'
import { pageOf } from '../app/store/page.ts'
import type { Known } from '../app/store/records.ts'
import type { Verifications } from '../app/store/store-ports.ts'
import { heldWhere } from './held-verifications.ts'
import { keyset } from './keyset.ts'
import { addKnown, addSubjects, KNOWN_KEY, knownPage } from './known-subjects.ts'
import { rebuilt } from './rebuilt.ts'
import { attempts } from './schema/attempts.ts'
import { CHOSEN_BY_WORKER, subjects, verifications } from './schema/verifications.ts'
import type { Session } from './session.ts'
import { claimsShown, oneWhere, PLACED, pageBy, SHOWN, subjectPage } from './shown-verifications.ts'

type Row = typeof verifications.$inferSelect

/** What is noted of a verification that is found by what it is about. */
const KEYED = {
  id: verifications.id,
  ownerId: verifications.ownerId,
  sourceName: verifications.sourceName,
  claims: verifications.claims,
  verdict: verifications.verdict,
  createdAt: verifications.createdAt,
  key: KNOWN_KEY,
}

const isOpen = or(eq(verifications.state, 'accepted'), eq(verifications.state, 'running'))

export function verificationsOf(session: Session): Verifications {
  return {
    insert: ({ id, submission, createdAt }) =>
      session(async (db) => {
        const { attempts: attemptsWanted, source, builder: builderWanted, ...given } = submission
        const made = await db
          .insert(verifications)
          .values({
            id,
            ...given,
            source,
            sourceName: source.kind === 'git' ? source.url : source.name,
            attemptsWanted,
            builderWanted,
            fingerprint: fingerprintOf(submission),
            state: 'accepted',
            createdAt,
          })
          .onConflictDoNothing({ target: verifications.fingerprint, where: inArray(verifications.state, ['accepted', 'running']) })
          .returning({ id: verifications.id })
        return made.length > 0
      }),
    openWith: (fingerprint) => session((db) => oneWhere(db, and(eq(verifications.fingerprint, fingerprint), isOpen))),
    read: (id) => session((db) => oneWhere(db, eq(verifications.id, id))),
    recipe: (id) =>
      session(async (db) => {
        const [row] = await db.select({ recipe: verifications.recipe }).from(verifications).where(eq(verifications.id, id))
        return row?.recipe
      }),
    page: (filter, request) => session((db) => pageBy(db, filter, request)),
    known: (sha256, request, { source, owner } = { source: null, owner: null }) =>
      session((db) => knownPage(db, sha256, { request, source, owner })),
    knownBy: (sha256, key, request) => session((db) => subjectPage(db, { sha256, key, since: null, where: undefined }, request)),
    open: (request) =>
      session(async (db) => {
        const { after, order, limit } = keyset(request, verifications.createdAt, verifications.id)
        const rows = await db
          .select(SHOWN)
          .from(verifications)
          .where(and(isOpen, after))
          .orderBy(...order)
          .limit(limit)
        return pageOf(rows, request.limit, PLACED)
      }),
    claims: (id) =>
      session(async (db) => {
        const [row] = await db.select().from(verifications).where(eq(verifications.id, id))
        if (row !== undefined && claimsShown(row)) return row.claims
        throw claimsHidden()
      }),
    claimsOfUnbuilt: (id) =>
      session(async (db) => {
        const opened = db.select({ one: sql`1` }).from(attempts).where(eq(attempts.verificationId, verifications.id))
        const [row] = await db
          .select({ claims: verifications.claims })
          .from(verifications)
          .where(and(eq(verifications.id, id), not(exists(opened))))
        if (row !== undefined) return row.claims
        throw claimsHidden()
      }),
    hold: (id) => session((db) => heldWhere(db, eq(verifications.id, id))),
    holdOf: (attemptId) =>
      session((db) => {
        const own = db.select({ id: attempts.verificationId }).from(attempts).where(eq(attempts.id, attemptId))
        return heldWhere(db, inArray(verifications.id, own))
      }),
    holdOff: (id) =>
      session(async (db) => {
        await db.select({ id: verifications.id }).from(verifications).where(eq(verifications.id, id)).for('key share')
      }),
    prepare: (id, { pinned, sourceTar, reading, architecture, lock }) =>
      session(async (db) => {
        const set = { pinned, sourceTar, recipe: reading, architecture, preparedLock: lock, treeDigest: pinned.treeDigest }
        await db.update(verifications).set(set).where(eq(verifications.id, id))
      }),
    openOf: (ownerId) =>
      session(async (db) => {
        const [found] = await db
          .select({ open: count() })
          .from(verifications)
          .where(and(eq(verifications.ownerId, ownerId), isOpen))
        return found?.open ?? 0
      }),
    rebuilt: (o) => session((db) => rebuilt(db, o)),
    chosenLast: ({ architecture, trusted }) =>
      session(async (db) => {
        const [found] = await db
          .select({ builder: verifications.builder })
          .from(verifications)
          .where(and(eq(verifications.architecture, architecture), eq(verifications.trusted, trusted), CHOSEN_BY_WORKER))
          .orderBy(desc(verifications.finishedAt))
          .limit(1)
        return found?.builder ?? undefined
      }),
    reuse: (id, from) =>
      session(async (db) => {
        await db.update(verifications).set({ reusedFrom: from }).where(eq(verifications.id, id))
      }),
    advance: (id, { state, committed }) =>
      session(async (db) => {
        const [row] = await db
          .update(verifications)
          .set({ state, attemptsCommitted: committed })
          .where(eq(verifications.id, id))
          .returning(KEYED)
        // Found by digest only from now on: who could ask before would know what to echo.
        if (row !== undefined && committed) await addSubjects(db, row, claimedBy(row))
      }),
    finish: (id, { verdict, tier, reasons, builder, report, artifacts, at }) =>
      session(async (db) => {
        const set = { state: 'finished', attemptsCommitted: true, verdict, tier, reasons, builder, report, finishedAt: at } as const
        const [row] = await db.update(verifications).set(set).where(eq(verifications.id, id)).returning(KEYED)
        if (row === undefined) return
        // The claims are there already, except where no attempt was ever opened.
        const about = [...claimedBy(row), ...artifacts]
        await addSubjects(db, row, about)
        await addKnown(
          db,
          { ...row, at },
          about.map(({ sha256 }) => sha256),
        )
      }),
    cancel: (id, at) =>
      session(async (db) => {
        await db.update(verifications).set({ state: 'cancelled', finishedAt: at }).where(eq(verifications.id, id))
        // Its claims are hidden again: nobody finds out by asking for a digest whether it was one.
        await db.delete(subjects).where(eq(subjects.verificationId, id))
      }),
  }
}

function claimedBy({ claims }: Pick<Row, 'claims'>): Known['subjects'] {
  return claims.map(({ sha256, name, kind }) => ({ sha256, kind: 'claim', name: name ?? kind }))
}

function claimsHidden(): Failure {
  return new Failure({
    code: 'claims-hidden',
    message: 'the claims of a verification are hidden until its attempts are committed',
    hint: 'wait until the verification is finished',
  })
}
