import { and, desc, eq, sql } from 'drizzle-orm'
import type { Attestations } from '../app/store/store-ports.ts'
import { attestations } from './schema/attestations.ts'
import { knownSubjects } from './schema/known-subjects.ts'
import { owners } from './schema/owners.ts'
import { subjects, verifications } from './schema/verifications.ts'
import type { Drizzle } from './session.ts'

/**
 * What is attested of a digest, rebuilt from a repository: of each source, claims and owner the newest attestation, and only where the newest
 * verdict that found something out is still that it was reproduced.
 */
export async function attestedSubjects(db: Drizzle, { sha256, repository, predicateType, limit }: Parameters<Attestations['about']>[0]) {
  const rows = await db
    .selectDistinctOn([knownSubjects.key], {
      key: knownSubjects.key,
      owner: owners,
      bundle: attestations.bundle,
      createdAt: attestations.createdAt,
    })
    .from(knownSubjects)
    .innerJoin(verifications, eq(verifications.id, knownSubjects.newestId))
    .innerJoin(owners, eq(owners.id, knownSubjects.ownerId))
    .innerJoin(subjects, and(eq(subjects.sha256, knownSubjects.sha256), eq(subjects.key, knownSubjects.key), eq(subjects.kind, 'claim')))
    .innerJoin(attestations, and(eq(attestations.verificationId, subjects.verificationId), eq(attestations.predicateType, predicateType)))
    .where(
      and(
        eq(knownSubjects.sha256, sha256),
        eq(verifications.verdict, 'reproduced'),
        eq(sql`${verifications.pinned} ->> 'url'`, repository),
      ),
    )
    .orderBy(knownSubjects.key, desc(attestations.createdAt))
    .limit(limit)
  return rows.map(({ owner, bundle }) => ({ owner, bundle }))
}
