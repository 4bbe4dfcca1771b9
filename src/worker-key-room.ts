import { openHome } from './config/home.ts'
import type { Settings } from './config/settings.ts'
import { openWorkerKey, type WorkerKey } from './worker-auth/worker-key.ts'

/** The key that this machine's worker signs with, made where there is none. Fails as `openHome` and `openWorkerKey`. */
export async function openWorkerKeyOf({ home }: Pick<Settings, 'home'>): Promise<WorkerKey> {
  return await openWorkerKey((await openHome(home)).keys)
}
