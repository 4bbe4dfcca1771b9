import { and, desc, eq, getTableColumns, gte, inArray, type SQL } from 'drizzle-orm'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { type Page, type PageRequest, pageOf } from '../app/store/page.ts'
import type { Verification } from '../app/store/records.ts'
import type { VerificationFilter } from '../app/store/store-ports.ts'
import { keyset } from './keyset.ts'
import { subjects, verifications } from './schema/verifications.ts'
import type { Drizzle } from './session.ts'

type Row = typeof verifications.$inferSelect

/** What lists and reads are made of. The recipe is the most of a row, stored beside it, and shown by itself. */
const { recipe: _recipe, ...columns } = getTableColumns(verifications)
export const SHOWN = columns
type ShownRow = Omit<Row, 'recipe'>

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
  return await subjectPage(db, { sha256: subject, key: null, since, where }, request)
}

type OfSubject = {
  readonly sha256: Sha256
  /** Of source, claims and owner; null: any. */
  readonly key: Sha256 | null
  readonly since: Date | null
  /** What else is to be true of them. */
  readonly where: SQL | undefined
}

/** A page of those that are about a digest. One can have it more than once: claimed, and built by several names. */
export async function subjectPage(
  db: Drizzle,
  { sha256, key, since, where }: OfSubject,
  request: PageRequest,
): Promise<Page<Verification>> {
  const { after, order, limit } = keyset(request, subjects.createdAt, subjects.verificationId)
  const young = since === null ? undefined : gte(subjects.createdAt, since)
  const same = key === null ? undefined : eq(subjects.key, key)
  const named = db.selectDistinct({ at: subjects.createdAt, id: subjects.verificationId }).from(subjects).$dynamic()
  const rows = await (where === undefined ? named : named.innerJoin(verifications, eq(verifications.id, subjects.verificationId)))
    .where(and(eq(subjects.sha256, sha256), same, where, young, after))
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

/** Claims of what was cancelled stay hidden: the same submission may be made again. */
export function claimsShown(row: Pick<Row, 'attemptsCommitted' | 'state'>): boolean {
  return row.attemptsCommitted && row.state !== 'cancelled'
}

export function shown(row: ShownRow): Verification {
  const { id, ownerId, source, pinned, upload, lock, inputs, attemptsWanted, state, verdict, tier, reasons, report, createdAt } = row
  const { architecture, sourceTar, reusedFrom, finishedAt } = row
  const builder = row.builder ?? row.builderWanted
  const claims = claimsShown(row) ? row.claims : null
  const given = { id, ownerId, source, upload, lock, inputs, attemptsWanted, builder, claims, createdAt }
  return { ...given, pinned, architecture, sourceTar, reusedFrom, state, verdict, tier, reasons, report, finishedAt }
}
