import type { ServicePorts } from './app/service/accept-verification.ts'
import { type HousekeepingPorts, keepHouse } from './app/service/housekeeping.ts'
import { repairJobs } from './app/service/repair-jobs.ts'
import type { ServiceEvents } from './app/service/service-events.ts'
import type { Settings } from './config/settings.ts'
import type { LocalBlobs } from './storage/blob-folder.ts'
import type { BroughtBlobs } from './storage/brought-blobs.ts'
import type { StoreRoom } from './store-room.ts'

export type ServiceHouseOptions = {
  readonly settings: Pick<Settings, 'keepArtifacts' | 'keepRecords' | 'keepUploads'>
  readonly store: StoreRoom
  readonly blobs: LocalBlobs
  readonly brought: BroughtBlobs
  readonly service: ServicePorts
  readonly events: ServiceEvents
}

const HOUR_MS = 3600_000
const DAY_MS = 24 * HOUR_MS

/** Gives everything that is open the job that leads on, and keeps house until the signal fires. */
export function serviceHouse({
  settings,
  store,
  blobs,
  brought,
  service,
  events,
}: ServiceHouseOptions): (signal: AbortSignal) => Promise<void> {
  const retention = {
    uploadsMs: settings.keepUploads * HOUR_MS,
    artifactsMs: settings.keepArtifacts * DAY_MS,
    recordsMs: settings.keepRecords * DAY_MS,
  }
  return async (signal) => {
    await repairJobs({ ...service, reads: store.reads }).then(
      (count) => (count === 0 ? undefined : events.jobsRepaired({ count })),
      (error: unknown) => events.trouble({ where: 'repair', error }),
    )
    const removeBytes: HousekeepingPorts['removeBytes'] = (sha256, idleMs) => blobs.remove(sha256, idleMs)
    const settleBrought: HousekeepingPorts['settleBrought'] = (o, look) => brought.settle(o, look)
    await keepHouse({ ...service, events, retention, removeBytes, settleBrought }, signal)
  }
}
