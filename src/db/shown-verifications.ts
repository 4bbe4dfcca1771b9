import { and, desc, eq, getTableColumns, gte, inArray, type SQL } from 'drizzle-orm'
import { type Page, type PageRequest, pageOf } from '../app/store/page.ts'
import type { Known, Verification } from '../app/store/records.ts'
import type { VerificationFilter } from '../app/store/store-ports.ts'
import { keyset } from './keyset.ts'
import { subjects, verifications } from './schema/verifications.ts'
import type { Drizzle } from './session.ts'

type Row = typeof verifications.$inferSelect

/** What lists and reads are made of. The recipe is the most of a row, stored beside it, and shown by itself. */
const { recipe: _recipe, ...columns } = getTableColumns(verifications)
export const SHOWN = columns
type ShownRow = Omit<Row, 'recipe'>

export const ANY: VerificationFilter = { verdict: null, subject: null, source: null, builder: null, owner: null, since: null }
export const PLACED = { item: shown, place: (row: ShownRow) => ({ at: row.createdAt, id: row.id }) }

/** The verification that this is true of. */
export async function oneWhere(db: Drizzle, where: SQL | undefined): Promise<Verification | undefined> {
  const [row] = await db.select(SHOWN).from(verifications).where(where)
  return row === undefined ? undefined : shown(row)
}

/** A page, whose filters are joined by and. */
export async function pageBy(db: Drizzle, filter: VerificationFilter, request: PageRequest): Promise<Page<Verification>> {
  const { verdict, source, builder, owner, since, subject } = filter
  const where = and(
    verdict === null ? undefined : eq(verifications.verdict, verdict),
    source === null ? undefined : eq(verifications.sourceName, source),
    builder === null ? undefined : eq(verifications.builder, builder),
    owner === null ? undefined : eq(verifications.ownerId, owner),
  )
  if (subject === null) {
    const { after, order, limit } = keyset(request, verifications.createdAt, verifications.id)
    const young = since === null ? undefined : gte(verifications.createdAt, since)
    const rows = await db
      .select(SHOWN)
      .from(verifications)
      .where(and(where, young, after))
      .orderBy(...order)
      .limit(limit)
    return pageOf(rows, request.limit, PLACED)
  }
  // A verification can have a digest more than once: claimed, and built by several names.
  const { after, order, limit } = keyset(request, subjects.createdAt, subjects.verificationId)
  const young = since === null ? undefined : gte(subjects.createdAt, since)
  const named = db.selectDistinct({ at: subjects.createdAt, id: subjects.verificationId }).from(subjects).$dynamic()
  const rows = await (where === undefined ? named : named.innerJoin(verifications, eq(verifications.id, subjects.verificationId)))
    .where(and(eq(subjects.sha256, subject), where, young, after))
    .orderBy(...order)
    .limit(limit)
  const page = pageOf(rows, request.limit, { item: (row) => row.id, place: (row) => row })
  const found =
    page.items.length === 0
      ? []
      : await db
          .select(SHOWN)
          .from(verifications)
          .where(inArray(verifications.id, [...page.items]))
          .orderBy(desc(verifications.createdAt), desc(verifications.id))
  return { items: found.map(shown), next: page.next }
}

/** The same verifications, each with the parts that a digest has in it. */
export async function withSubjects(db: Drizzle, found: readonly Verification[], sha256: Row['fingerprint']): Promise<readonly Known[]> {
  if (found.length === 0) return []
  const ids = found.map(({ id }) => id)
  const rows = await db
    .select()
    .from(subjects)
    .where(and(eq(subjects.sha256, sha256), inArray(subjects.verificationId, ids)))
    .orderBy(subjects.kind, subjects.name)
  return found.map((verification) => ({
    verification,
    subjects: rows
      .filter(({ verificationId }) => verificationId === verification.id)
      .map((row) => ({ sha256: row.sha256, kind: row.kind, name: row.name })),
  }))
}

/** Claims of what was cancelled stay hidden: the same submission may be made again. */
export function claimsShown(row: Pick<Row, 'attemptsCommitted' | 'state'>): boolean {
  return row.attemptsCommitted && row.state !== 'cancelled'
}

function shown(row: ShownRow): Verification {
  const { id, ownerId, source, pinned, upload, lock, inputs, attemptsWanted, state, verdict, tier, reasons, report, createdAt } = row
  const { architecture, sourceTar, reusedFrom, finishedAt } = row
  const builder = row.builder ?? row.builderWanted
  const claims = claimsShown(row) ? row.claims : null
  const given = { id, ownerId, source, upload, lock, inputs, attemptsWanted, builder, claims, createdAt }
  return { ...given, pinned, architecture, sourceTar, reusedFrom, state, verdict, tier, reasons, report, finishedAt }
}
