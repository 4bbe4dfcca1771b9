import type { Deployment, DeploymentEvent } from './deployment.ts'
import { type Ending, endingOf } from './deployment-ending.ts'
import { type Progress, progressOf } from './deployment-state.ts'

/** What may run unjudged is stopped whatever happens; what was allowed is left for its owner to look at. */
export function failed(at: string, { unpredicted, state }: Progress, why: Ending): DeploymentEvent {
  const started = state === 'committing' || state === 'committed'
  if (started && unpredicted) return { kind: 'stopping', at, why }
  return { kind: 'ended', at, state: 'failed', why }
}

/** Gives up what does not go on. Null for what is being stopped: nothing that nobody judged is left running. */
export function giveUpDeployment(deployment: Pick<Deployment, 'events'>, at: string): DeploymentEvent | null {
  const progress = progressOf(deployment)
  return progress.state === 'stopping' ? null : failed(at, progress, endingOf('deployment-given-up'))
}
