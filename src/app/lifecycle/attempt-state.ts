import type { Outcome } from '../../../verifier/model/attempt.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'

/** How one try of an attempt ended. `infrastructure` and `lease-lost` are tried again, up to a cap; nothing else ever is. */
export type TryEnding = 'committed' | 'infrastructure' | 'lease-lost' | 'cancelled'

export type Lease = { readonly id: string; readonly worker: string; readonly since: number; readonly expiresAt: number }

/** `tries` counts those that were begun. Times are milliseconds since 1970. */
export type AttemptState =
  | { readonly state: 'queued'; readonly tries: number }
  | { readonly state: 'leased'; readonly tries: number; readonly lease: Lease }
  /** `lease` is the one that committed it; null where it was cancelled or given up while nobody held it. */
  | {
      readonly state: 'committed'
      readonly tries: number
      readonly outcome: Outcome
      readonly lease: string | null
      readonly digest: Sha256 | null
    }

export type AttemptEventKind =
  | { readonly kind: 'lease'; readonly lease: Lease }
  | { readonly kind: 'heartbeat'; readonly lease: string; readonly worker: string; readonly at: number; readonly expiresAt: number }
  /** The queue says that nobody works on it any more. `lease` names the one it speaks of; null: whichever holds it. */
  | { readonly kind: 'lease-lost'; readonly lease: string | null }
  /** `digest` is of the reported document: a report that is sent again is known by it. */
  | {
      readonly kind: 'report'
      readonly lease: string
      readonly worker: string
      readonly outcome: Outcome
      readonly digest: Sha256
      readonly at: number
    }
  /** The queue has given up. */
  | { readonly kind: 'give-up' }
  | { readonly kind: 'cancel' }

export type EndedTry = { readonly number: number; readonly lease: Lease; readonly ending: TryEnding }

export type Transition<S> =
  | { readonly result: 'changed'; readonly state: S; readonly ended: EndedTry | null }
  /** Said before, and nothing to do: answered like the first time. */
  | { readonly result: 'unchanged' }
  | { readonly result: 'illegal'; readonly code: IllegalCode }

export type IllegalCode =
  | 'lease-held'
  | 'lease-not-yours'
  | 'lease-expired'
  | 'attempt-queued'
  | 'attempt-committed'
  | 'verification-over'
  | 'attempts-open'

/** Tries of one attempt, lost leases and failures of the infrastructure included. */
export const MAX_TRIES = 4

/** What an event makes of an attempt (DESIGN §2, §8). A committed attempt never changes. */
export function transitionAttempt(state: AttemptState, event: AttemptEventKind): Transition<AttemptState> {
  if (state.state === 'committed') return afterCommit(state, event)
  switch (event.kind) {
    case 'lease':
      if (state.state === 'leased') return illegal('lease-held')
      return { result: 'changed', state: { state: 'leased', tries: state.tries + 1, lease: event.lease }, ended: null }
    case 'heartbeat': {
      const objection = objectionTo(state, event)
      if (objection !== null || state.state !== 'leased') return illegal(objection ?? 'attempt-queued')
      const expiresAt = Math.max(state.lease.expiresAt, event.expiresAt)
      return { result: 'changed', state: { ...state, lease: { ...state.lease, expiresAt } }, ended: null }
    }
    case 'lease-lost':
      if (state.state === 'queued') return { result: 'unchanged' }
      if (event.lease !== null && event.lease !== state.lease.id) return { result: 'unchanged' }
      return endTry(state, 'lease-lost')
    case 'report': {
      const objection = objectionTo(state, event)
      if (objection !== null || state.state !== 'leased') return illegal(objection ?? 'attempt-queued')
      // A worker that stops reports its attempt as cancelled; only an owner's word cancels a verification.
      if (event.outcome === 'infrastructure' || event.outcome === 'cancelled') return endTry(state, 'infrastructure', event.digest)
      const { outcome, digest } = event
      const committed = { state: 'committed', tries: state.tries, outcome, lease: state.lease.id, digest } as const
      return { result: 'changed', state: committed, ended: endedTry(state, 'committed') }
    }
    case 'give-up': {
      const committed = { state: 'committed', tries: state.tries, outcome: 'infrastructure', lease: null, digest: null } as const
      return { result: 'changed', state: committed, ended: state.state === 'leased' ? endedTry(state, 'lease-lost') : null }
    }
    case 'cancel': {
      const committed = { state: 'committed', tries: state.tries, outcome: 'cancelled', lease: null, digest: null } as const
      return { result: 'changed', state: committed, ended: state.state === 'leased' ? endedTry(state, 'cancelled') : null }
    }
  }
}

type Leased = Extract<AttemptState, { state: 'leased' }>

/** Back into the queue, or, at the cap, over: what the infrastructure did says nothing about the image. */
function endTry(state: Leased, ending: 'lease-lost' | 'infrastructure', digest: Sha256 | null = null): Transition<AttemptState> {
  const ended = endedTry(state, ending)
  if (state.tries < MAX_TRIES) return { result: 'changed', state: { state: 'queued', tries: state.tries }, ended }
  return {
    result: 'changed',
    state: { state: 'committed', tries: state.tries, outcome: 'infrastructure', lease: state.lease.id, digest },
    ended,
  }
}

function afterCommit(state: Extract<AttemptState, { state: 'committed' }>, event: AttemptEventKind): Transition<AttemptState> {
  if (event.kind === 'cancel' || event.kind === 'give-up' || event.kind === 'lease-lost') return { result: 'unchanged' }
  const again = event.kind === 'report' && state.lease === event.lease && state.digest === event.digest
  return again ? { result: 'unchanged' } : illegal('attempt-committed')
}

/** Why whoever speaks may not speak for the attempt. */
function objectionTo(
  state: Exclude<AttemptState, { state: 'committed' }>,
  event: { lease: string; worker: string; at: number },
): IllegalCode | null {
  if (state.state === 'queued') return 'attempt-queued'
  if (state.lease.id !== event.lease || state.lease.worker !== event.worker) return 'lease-not-yours'
  return event.at >= state.lease.expiresAt ? 'lease-expired' : null
}

function endedTry(state: Leased, ending: TryEnding): EndedTry {
  return { number: state.tries, lease: state.lease, ending }
}

function illegal(code: IllegalCode): { readonly result: 'illegal'; readonly code: IllegalCode } {
  return { result: 'illegal', code }
}
