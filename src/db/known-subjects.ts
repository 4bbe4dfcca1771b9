import { and, eq, inArray, type SQL, sql } from 'drizzle-orm'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { type Page, type PageRequest, pageOf } from '../app/store/page.ts'
import type { Known, Subject } from '../app/store/records.ts'
import type { VerificationFilter } from '../app/store/store-ports.ts'
import { keyset } from './keyset.ts'
import { knownSubjects } from './schema/known-subjects.ts'
import { subjects, verifications } from './schema/verifications.ts'
import type { Drizzle } from './session.ts'
import { SHOWN, shown } from './shown-verifications.ts'

type Row = typeof verifications.$inferSelect

/** Of source, claims and owner of a verification: the database has the one definition of it. */
export const KNOWN_KEY: SQL<Sha256> = sql<Sha256>`known_key(${verifications.ownerId}, ${verifications.source}, ${verifications.pinned}, ${verifications.claims})`

/** Rows of one INSERT. */
const BATCH = 1000

/** Notes what a verification is about, so that it is found by it. */
export async function addSubjects(
  db: Drizzle,
  { id, createdAt, key }: Pick<Row, 'id' | 'createdAt'> & { readonly key: Sha256 },
  added: readonly Subject[],
): Promise<void> {
  if (added.length === 0) return
  await db
    .insert(subjects)
    .values(added.map((subject) => ({ ...subject, verificationId: id, createdAt, key })))
    .onConflictDoNothing()
}

/** Notes the verdict of a verification for each digest that it is about. One that could not find out takes nothing back. */
export async function addKnown(
  db: Drizzle,
  row: Pick<Row, 'id' | 'ownerId' | 'sourceName' | 'verdict'> & { readonly key: Sha256; readonly at: Date },
  digests: readonly Sha256[],
): Promise<void> {
  const { key, ownerId, sourceName, at } = row
  const own = { key, ownerId, sourceName, newestId: row.id, newestAt: at, decided: row.verdict !== 'undecided', count: 1, firstAt: at }
  // In one order, so that two who note the same digests do not wait for each other in a circle.
  const values = [...new Set(digests)].toSorted().map((sha256) => ({ ...own, sha256 }))
  const newer = sql`(excluded.decided, excluded.newest_at) >= (${knownSubjects.decided}, ${knownSubjects.newestAt})`
  const newest = (column: 'newestId' | 'newestAt' | 'decided'): SQL =>
    sql`case when ${newer} then excluded.${sql.identifier(knownSubjects[column].name)} else ${knownSubjects[column]} end`
  for (let from = 0; from < values.length; from += BATCH)
    await db
      .insert(knownSubjects)
      .values(values.slice(from, from + BATCH))
      .onConflictDoUpdate({
        target: [knownSubjects.sha256, knownSubjects.key],
        set: {
          count: sql`${knownSubjects.count} + 1`,
          newestId: newest('newestId'),
          newestAt: newest('newestAt'),
          decided: newest('decided'),
        },
      })
}

/** What is known about a digest, of one source or owner where that is asked for. */
export async function knownPage(
  db: Drizzle,
  sha256: Sha256,
  { request, source, owner }: { readonly request: PageRequest } & Pick<VerificationFilter, 'source' | 'owner'>,
): Promise<Page<Known>> {
  const { after, order, limit } = keyset(request, knownSubjects.newestAt, knownSubjects.newestId)
  const of = and(
    eq(knownSubjects.sha256, sha256),
    source === null ? undefined : eq(knownSubjects.sourceName, source),
    owner === null ? undefined : eq(knownSubjects.ownerId, owner),
  )
  const rows = await db
    .select()
    .from(knownSubjects)
    .where(and(of, after))
    .orderBy(...order)
    .limit(limit)
  const page = pageOf(rows, request.limit, { item: (row) => row, place: (row) => ({ at: row.newestAt, id: row.newestId }) })
  const ids = page.items.map(({ newestId }) => newestId)
  const [found, parts] = ids.length === 0 ? [[], []] : [await newestOf(db, ids), await partsOf(db, sha256, ids)]
  const items = page.items.flatMap(({ key, count, firstAt, newestId }) => {
    const verification = found.find(({ id }) => id === newestId)
    const own = parts.filter(({ verificationId }) => verificationId === newestId)
    // A foreign key of the table rules out that there is none.
    return verification === undefined
      ? []
      : [{ key, count, firstAt, verification, subjects: own.map(({ kind, name }) => ({ sha256, kind, name })) }]
  })
  return { items, next: page.next }
}

async function newestOf(db: Drizzle, ids: readonly string[]) {
  const rows = await db
    .select(SHOWN)
    .from(verifications)
    .where(inArray(verifications.id, [...ids]))
  return rows.map(shown)
}

/** The parts that a digest has in verifications. */
async function partsOf(db: Drizzle, sha256: Sha256, ids: readonly string[]) {
  return await db
    .select()
    .from(subjects)
    .where(and(eq(subjects.sha256, sha256), inArray(subjects.verificationId, [...ids])))
    .orderBy(subjects.kind, subjects.name)
}
