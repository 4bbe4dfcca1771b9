import { appIdFrom } from '../compose/compose-hash.ts'
import type { Deployment, DeploymentEvent, DeploymentState, GuestState, Offer } from './deployment.ts'

/** What a deployment has come to, read from its events. */
export type Progress = {
  readonly state: DeploymentState
  readonly offer: Offer | null
  /** Whether it was let in without anybody having seen its bytes. */
  readonly unpredicted: boolean
  readonly guest: string | null
  readonly seen: GuestState | null
  readonly decidedAt: Date | null
  readonly committedAt: Date | null
}

const START: Progress = {
  state: 'ordered',
  offer: null,
  unpredicted: false,
  guest: null,
  seen: null,
  decidedAt: null,
  committedAt: null,
}

/** The app that it is decided as; what a guest says later of another one changes nothing. */
export function decidedApp({ appId, composeHash }: Offer, order: Deployment['order']): string {
  return appId ?? order.appId ?? appIdFrom(composeHash)
}

/** Nothing happens to it any more. */
export function isOver(state: DeploymentState): boolean {
  return state === 'running' || state === 'denied' || state === 'failed'
}

export function progressOf({ events }: Pick<Deployment, 'events'>): Progress {
  return events.reduce(after, START)
}

function after(was: Progress, event: DeploymentEvent): Progress {
  switch (event.kind) {
    case 'offered':
      // Again after a crash: what was offered before is nothing any more.
      return { ...START, state: 'offered', offer: event.offer }
    case 'unpredicted':
      return { ...was, state: 'allowed', unpredicted: true, decidedAt: new Date(event.at) }
    case 'decided':
      if (event.decision.decision === 'deny') return was
      return event.basis === 'predicted'
        ? { ...was, state: 'allowed', decidedAt: new Date(event.at) }
        : { ...was, state: 'attested', unpredicted: false }
    case 'committing':
      return { ...was, state: 'committing' }
    case 'committed':
      return { ...was, state: 'committed', guest: event.guest, committedAt: new Date(event.at) }
    case 'attested':
      return was
    case 'state':
      return { ...was, seen: event.state }
    case 'live':
      return { ...was, state: 'running' }
    case 'stopping':
      return { ...was, state: 'stopping' }
    case 'ended':
      return { ...was, state: event.state }
  }
}
