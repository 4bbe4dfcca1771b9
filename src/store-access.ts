import type { Failure } from '../verifier/model/failure.ts'
import { databaseUrl } from './config/database-url.ts'
import { openHome } from './config/home.ts'
import type { Settings } from './config/settings.ts'
import { StoreRoom } from './store-room.ts'

/** Those that say where the store is. */
export type StoreSettings = Pick<Settings, 'home' | 'databaseUrl' | 'databaseUrlFile' | 'lease'>

export type StoreAccess = {
  readonly settings: StoreSettings
  /** How often this process looks for lost jobs; null: it does not. */
  readonly superviseSeconds: number | null
  readonly onTrouble: (failure: Failure) => void
}

/**
 * The store that the settings name: a PostgreSQL server, or the database in the home. Fails as `databaseUrl`, `openHome` and
 * `StoreRoom.open`.
 */
export async function openStore({ settings, superviseSeconds, onTrouble }: StoreAccess): Promise<StoreRoom> {
  const url = await databaseUrl(settings)
  const { db } = await openHome(settings.home)
  return await StoreRoom.open({ url, folder: db, superviseSeconds, leaseSeconds: settings.lease, onTrouble })
}
