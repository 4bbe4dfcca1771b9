import { Failure } from '../../../verifier/model/failure.ts'
import type { DeployDocument } from '../../app/deploy/deploy-document.ts'
import { progressOf } from '../../app/deploy/deployment-state.ts'
import type { DeployRun } from './run-deploy.ts'

export type Announcement = DeployDocument['announcement']

/** Id of the app that runs, as the target says it. */
export function appOf({ deployment }: DeployRun['state']): string | null {
  if (deployment === null) return null
  const { seen, offer } = progressOf(deployment)
  return seen?.appId ?? offer?.appId ?? deployment.order.appId
}

/**
 * Tells the service what runs where, so that it looks at it from now on and shows it beside its rebuild. Again changes nothing. What runs, runs: where
 * the service does not take it, the answer says why, and the same command tells it again. Null: there is nothing to tell, or nobody.
 */
export async function announceStep({ io, client, state }: DeployRun): Promise<Announcement> {
  const { deployment } = state
  const app = appOf(state)
  if (client === null || deployment === null || deployment.state !== 'running' || app === null) return null
  const url = deployment.events.findLast((event) => event.kind === 'live')?.url ?? null
  const { offer } = progressOf(deployment)
  if (url === null || offer === null) return null
  const { composeHash } = offer
  try {
    const request = { kind: 'announced', name: deployment.order.name, app, composeHash, url } as const
    return { deployment: await client.announce(request, deployment.id, io.signal), code: null }
  } catch (error) {
    io.signal.throwIfAborted()
    if (error instanceof Failure) return { deployment: null, code: error.code }
    throw error
  }
}
