import { and, eq, isNull, ne, notInArray, sql } from 'drizzle-orm'
import type { Sha256 } from '../../verifier/model/digest.ts'
import type { BlobRole } from '../app/store/records.ts'
import { attestations } from './schema/attestations.ts'
import { blobReferences, builderBlobs, lockInputs } from './schema/blobs.ts'
import { verifications } from './schema/verifications.ts'
import type { Drizzle } from './session.ts'

/** What an owner brought is shown as what became of it. */
const NEVER: BlobRole[] = ['upload', 'inputs']

/** As what anybody may read a blob. One row answers, however many verifications need it. */
export async function shownAs(db: Drizzle, sha256: Sha256): Promise<BlobRole | undefined> {
  const shown = and(eq(verifications.attemptsCommitted, true), ne(verifications.state, 'cancelled'))
  const [part] = await db
    .select({ role: blobReferences.role })
    .from(blobReferences)
    .innerJoin(verifications, eq(verifications.id, blobReferences.verificationId))
    .where(and(eq(blobReferences.sha256, sha256), notInArray(blobReferences.role, NEVER), shown))
    .limit(1)
  if (part !== undefined) return part.role
  const [signed] = await db
    .select({ one: sql`1` })
    .from(attestations)
    .where(and(eq(attestations.bundle, sha256), isNull(attestations.verificationId)))
    .limit(1)
  if (signed !== undefined) return 'bundle'
  const [locked] = await db
    .select({ one: sql`1` })
    .from(lockInputs)
    .innerJoin(blobReferences, eq(blobReferences.sha256, lockInputs.lock))
    .innerJoin(verifications, eq(verifications.id, blobReferences.verificationId))
    .where(and(eq(lockInputs.sha256, sha256), eq(blobReferences.role, 'lock'), shown))
    .limit(1)
  if (locked !== undefined) return 'inputs'
  const [building] = await db.select({ one: sql`1` }).from(builderBlobs).where(eq(builderBlobs.sha256, sha256)).limit(1)
  return building === undefined ? undefined : 'builder'
}
