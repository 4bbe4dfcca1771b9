import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import type { DeployPorts } from './advance-deployment.ts'
import type { DeployDocument } from './deploy-document.ts'
import type { Deployment } from './deployment.ts'
import { endingOf } from './deployment-ending.ts'
import { progressOf } from './deployment-state.ts'

export type Look = NonNullable<DeployDocument['now']>

/**
 * How what was started is now, by its target and at its live URL; null where nothing was started. Nothing is changed by it. Rejects where the target
 * cannot be asked, with its failure.
 */
export async function lookAgain(
  { target, live, now }: Pick<DeployPorts, 'target' | 'live' | 'now'>,
  deployment: Deployment,
  signal: AbortSignal,
): Promise<Look | null> {
  const { guest, offer } = progressOf(deployment)
  if (guest === null || offer === null) return null
  const state = await target.state(guest, signal)
  const at = now().toISOString()
  const seen = { at, status: state.status, url: null, answers: [], why: null }
  if (state.status === 'stopped' || state.status === 'failed') return { ...seen, why: endingOf('deployment-gone') }
  const attested = await target.attested(guest, signal)
  if (attested !== undefined && digestOf(attested) !== offer.composeHash) return { ...seen, why: endingOf('deployment-replaced') }
  return state.status === 'running' ? { ...seen, ...(await live(deployment.order, state, signal)) } : seen
}
