import { and, desc, eq, inArray, sql } from 'drizzle-orm'
import type { Sha256 } from '../../verifier/model/digest.ts'
import type { Owner } from '../app/store/records.ts'
import type { Attestations } from '../app/store/store-ports.ts'
import { attestations } from './schema/attestations.ts'
import { knownSubjects } from './schema/known-subjects.ts'
import { owners } from './schema/owners.ts'
import { subjects, verifications } from './schema/verifications.ts'
import type { Drizzle } from './session.ts'

/** Of a row of `known_subjects` with its newest verification: that it is of the digest, from the repository. */
const rebuilt = (sha256: Sha256, repository: string) =>
  and(eq(knownSubjects.sha256, sha256), eq(sql`${verifications.pinned} ->> 'url'`, repository))

export async function rebuildersOf(
  db: Drizzle,
  { sha256, repository, limit }: Parameters<Attestations['rebuildersOf']>[0],
): Promise<readonly Owner[]> {
  const known = db
    .select({ ownerId: knownSubjects.ownerId })
    .from(knownSubjects)
    .innerJoin(verifications, eq(verifications.id, knownSubjects.newestId))
    .where(rebuilt(sha256, repository))
  return await db.select().from(owners).where(inArray(owners.id, known)).orderBy(owners.createdAt, owners.id).limit(limit)
}

export async function attestedSubjects(db: Drizzle, o: Parameters<Attestations['about']>[0]): Promise<readonly Sha256[]> {
  if (o.owners.length === 0) return []
  const { bundle, createdAt } = attestations
  const newest = db
    .selectDistinctOn([knownSubjects.key], { bundle, createdAt })
    .from(knownSubjects)
    .innerJoin(verifications, eq(verifications.id, knownSubjects.newestId))
    .innerJoin(subjects, and(eq(subjects.sha256, knownSubjects.sha256), eq(subjects.key, knownSubjects.key), eq(subjects.kind, 'claim')))
    .innerJoin(attestations, and(eq(attestations.verificationId, subjects.verificationId), eq(attestations.predicateType, o.predicateType)))
    .where(and(rebuilt(o.sha256, o.repository), inArray(knownSubjects.ownerId, [...o.owners]), eq(verifications.verdict, 'reproduced')))
    .orderBy(knownSubjects.key, desc(createdAt))
    .as('newest')
  const rows = await db.select({ bundle: newest.bundle }).from(newest).orderBy(desc(newest.createdAt)).limit(o.limit)
  return rows.map((row) => row.bundle)
}
