import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '../../../verifier/model/failure.ts'
import { advanceDeployment, type DeployPorts } from './advance-deployment.ts'
import type { Deployment, DeploymentEvent } from './deployment.ts'
import { isOver, progressOf } from './deployment-state.ts'

/** What is away is asked again, ms. */
export type DeployPatience = { readonly retryDelay: number; readonly retryDelayMax: number; readonly giveUp: number }
const PATIENCE: DeployPatience = { retryDelay: 1000, retryDelayMax: 15_000, giveUp: 600_000 }

export type RunDeployment = {
  readonly ports: DeployPorts
  readonly deployment: Deployment
  /** Keeps it; the next step is taken once that is done. */
  readonly save: (deployment: Deployment) => Promise<void>
  readonly onEvent: (event: DeploymentEvent) => void
  /** Something is away; it is asked again. */
  readonly onLost: (failure: Failure) => void
  /** Whether what was started is followed until it runs, or fails. */
  readonly follow: boolean
  readonly signal: AbortSignal
  readonly patience?: DeployPatience
}

/**
 * Takes steps until it is over. What was decided before this was called, in whichever process, is decided again before anything is started: the state
 * may come from anybody. What passes is waited for; after ten minutes of it, rejects with it: the deployment is where it was, and
 * can go on.
 */
export async function runDeployment(o: RunDeployment): Promise<Deployment> {
  const { signal, patience = PATIENCE } = o
  let { deployment } = o
  const ports = { ...o.ports, eventsBefore: deployment.events.length }
  let failures = 0
  let lostAt: number | undefined
  for (;;) {
    const { state, guest, unpredicted } = progressOf(deployment)
    // What nobody has seen is never left alone.
    if (isOver(state) || (!o.follow && guest !== null && !unpredicted && state !== 'stopping')) return deployment
    try {
      const { events, waitMs } = await advanceDeployment(ports, deployment, signal)
      failures = 0
      lostAt = undefined
      if (events.length > 0) {
        const after = { ...deployment, events: [...deployment.events, ...events] }
        deployment = { ...after, state: progressOf(after).state }
        await o.save(deployment)
        for (const event of events) o.onEvent(event)
      }
      await pause(waitMs, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof Failure && error.retryable)) throw error
      lostAt ??= performance.now()
      if (performance.now() - lostAt >= patience.giveUp) throw error
      if (failures === 0) o.onLost(error)
      await pause(Math.min(patience.retryDelay * 2 ** failures, patience.retryDelayMax), signal)
      failures = Math.min(failures + 1, 20)
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await delay(ms, undefined, { signal }).catch(() => {})
  signal.throwIfAborted()
}
