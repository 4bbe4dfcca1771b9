import { readdir, rename, utimes } from 'node:fs/promises'
import path from 'node:path'
import { sql } from 'drizzle-orm'
import { Housekeeping } from '../../src/app/service/housekeeping.ts'
import { openBlobFolder } from '../../src/storage/blob-folder.ts'
import { BroughtBlobs } from '../../src/storage/brought-blobs.ts'
import type { StoreRoom } from '../../src/store-room.ts'
import { newId } from '../stored.ts'

const DAY_MS = 24 * 3600_000
const KEPT_MS = 1000 * DAY_MS

/** Lets a day pass for the files of a home, as far as anybody looks at their times. */
export async function growOld(home: string): Promise<void> {
  const then = (Date.now() - DAY_MS) / 1000
  for (const folder of ['tmp', 'sha256'])
    for (const entry of await readdir(path.join(home, 'blobs', folder), { recursive: true, withFileTypes: true }))
      if (entry.isFile()) await utimes(path.join(entry.parentPath, entry.name), then, then)
  const brought = path.join(home, 'blobs', 'brought')
  const hours: readonly string[] = await readdir(brought).catch(() => [])
  for (const hour of hours.toSorted((a, b) => Number(a) - Number(b)))
    await rename(path.join(brought, hour), path.join(brought, `${Number(hour) - 24}`))
}

/** Keeps house as a coordinator does within a day, so that what killed ones left and nobody needs goes. Gives what failed. */
export async function keepHouseForADay(store: StoreRoom, home: string): Promise<readonly string[]> {
  const wrong: string[] = []
  await growOld(home)
  const blobs = await openBlobFolder(path.join(home, 'blobs'))
  const brought = new BroughtBlobs(path.join(home, 'blobs'))
  const house = new Housekeeping({
    unitOfWork: store.unitOfWork,
    now: () => new Date(Date.now() + DAY_MS),
    newId,
    events: { housekept: () => {}, trouble: ({ where, error }) => void wrong.push(`${where}: ${String(error)}`) },
    retention: { uploadsMs: KEPT_MS, recordsMs: KEPT_MS, artifactsMs: KEPT_MS },
    removeBytes: (sha256, idleMs) => blobs.remove(sha256, idleMs),
    settleBrought: (o, look) => brought.settle(o, look),
  })
  const { signal } = new AbortController()
  await house.round(signal)
  await store.database.drizzle.execute(sql`update forgotten_blobs set since = since - interval '1 day'`)
  await house.round(signal)
  return wrong
}
