import { eq, exists, inArray, not, type SQL, sql } from 'drizzle-orm'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { blobReferences, blobs, builderBlobs, forgottenBlobs, lockInputs, uploads } from './schema/blobs.ts'
import { deploymentComposes } from './schema/deployments.ts'
import { appComposes } from './schema/gate.ts'
import type { Drizzle } from './session.ts'

/** Notes blobs as kept. Written even where they are noted: whoever collects then passes them by, or is waited for. */
export async function keep(db: Drizzle, kept: readonly { readonly sha256: Sha256; readonly size: number }[], at: Date): Promise<void> {
  const once = new Map(kept.map(({ sha256, size }) => [sha256, size]))
  // In one order, so that two who keep the same blobs do not wait for each other in a circle.
  const rows = [...once].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([sha256, size]) => ({ sha256, size, createdAt: at }))
  if (rows.length === 0) return
  await db
    .insert(blobs)
    .values(rows)
    .onConflictDoUpdate({ target: blobs.sha256, set: { createdAt: sql`greatest(${blobs.createdAt}, excluded.created_at)` } })
}

/** Of a row of `blobs`: that no lock, builder, upload, app or deployment keeps it. An input goes after its last lock, an upload when it is swept. */
export function unkept(db: Drizzle): SQL[] {
  const keepers = [lockInputs.sha256, builderBlobs.sha256, uploads.sha256, appComposes.composeHash, deploymentComposes.sha256]
  return keepers.map((column) => not(exists(db.select({ one: sql`1` }).from(column.table).where(eq(column, blobs.sha256)))))
}

/** Forgets blobs that nothing needs, and notes that their bytes may go. What they name as locks may go the next time. */
export async function forget(db: Drizzle, gone: readonly Sha256[]): Promise<void> {
  if (gone.length === 0) return
  await db.delete(blobReferences).where(inArray(blobReferences.sha256, [...gone]))
  await db.delete(lockInputs).where(inArray(lockInputs.lock, [...gone]))
  await db.delete(blobs).where(inArray(blobs.sha256, [...gone]))
  await db
    .insert(forgottenBlobs)
    .values(gone.map((sha256) => ({ sha256, since: sql`now()` })))
    .onConflictDoUpdate({ target: forgottenBlobs.sha256, set: { since: sql`excluded.since` } })
}
