import { MAX_PAGE } from '../store/page.ts'
import type { Reads } from '../store/store-ports.ts'
import type { RunningApp, RunningApps } from './find-impact.ts'

/**
 * What this service deployed under a policy, and runs as far as is known; where nobody asked about it, no KMS knows of the service. Of the newest
 * deployments only.
 */
export function deployedApps(reads: Pick<Reads, 'deployments'>): RunningApps {
  return async ({ policy, since, limit }) => {
    const { items } = await reads.deployments.page(
      { app: null, owner: null, state: 'running' },
      { cursor: null, limit: Math.min(limit, MAX_PAGE) },
    )
    return items.flatMap(({ appId, composeHash, policy: by, updatedAt, withdrawnAt }): RunningApp[] =>
      appId === null || by !== policy || withdrawnAt !== null || updatedAt < since
        ? []
        : [{ appId, composeHash, guest: null, lastAt: updatedAt }],
    )
  }
}
