import type { Outcome } from '../../../verifier/model/attempt.ts'
import type { Tier } from '../../../verifier/model/comparison.ts'
import type { Verdict } from '../../../verifier/model/verdict.ts'
import { type AttemptEventKind, type AttemptState, type EndedTry, type IllegalCode, transitionAttempt } from './attempt-state.ts'

/** A verification and those of its attempts that were opened; attempt `n` is at index `n - 1`. */
export type VerificationLife = {
  readonly state: 'accepted' | 'running' | 'finished' | 'cancelled'
  readonly wanted: number
  /** A publisher's lock is at hand: every attempt is a replay, and none waits for another. */
  readonly locked: boolean
  readonly attempts: readonly AttemptState[]
  readonly verdict: Verdict | null
  readonly tier: Tier | null
}

export type VerificationEvent =
  | { readonly kind: 'attempt'; readonly number: number; readonly event: Exclude<AttemptEventKind, { kind: 'cancel' }> }
  /** The source is pinned and its recipe may be built: attempts can begin. */
  | { readonly kind: 'prepare' }
  /** The attempts of an earlier verification, which ended so, are its own: none is opened. */
  | { readonly kind: 'reuse'; readonly outcomes: readonly Outcome[] }
  /** Without attempts, where none was ever opened, only as `refused` or `undecided`: nothing was built. */
  | { readonly kind: 'decide'; readonly verdict: Verdict; readonly tier: Tier | null }
  | { readonly kind: 'cancel' }

export type VerificationTransition =
  | {
      readonly result: 'changed'
      readonly life: VerificationLife
      /** Tries that ended by it, by attempt number. */
      readonly ended: readonly { readonly attempt: number; readonly ended: EndedTry }[]
      /** Attempts that it opened, which are to be queued. */
      readonly opened: readonly number[]
    }
  | { readonly result: 'unchanged' }
  | { readonly result: 'illegal'; readonly code: IllegalCode }

/** A verification as it is accepted: its source is to be pinned before anything is built. */
export function acceptedLife({ wanted, locked }: Pick<VerificationLife, 'wanted' | 'locked'>): VerificationLife {
  return { state: 'accepted', wanted, locked, attempts: [], verdict: null, tier: null }
}

/** Whether no attempt is left that could still echo a claim: then, and not before, claims may be shown and a verdict be given. */
export function attemptsCommitted(life: Pick<VerificationLife, 'attempts' | 'wanted' | 'locked'>): boolean {
  return life.attempts.length > 0 && life.attempts.every((attempt) => attempt.state === 'committed') && due(life).length === 0
}

/** What an event makes of a verification. What is finished or cancelled never changes. */
export function transition(life: VerificationLife, event: VerificationEvent): VerificationTransition {
  const over = life.state === 'finished' || life.state === 'cancelled'
  switch (event.kind) {
    case 'cancel':
      if (life.state === 'cancelled') return { result: 'unchanged' }
      return over ? { result: 'illegal', code: 'verification-over' } : cancelled(life)
    case 'decide':
      if (over) {
        const same = life.state === 'finished' && life.verdict === event.verdict && life.tier === event.tier
        return same ? { result: 'unchanged' } : { result: 'illegal', code: 'verification-over' }
      }
      if (!attemptsCommitted(life) && !endsUnbuilt(life, event.verdict)) return { result: 'illegal', code: 'attempts-open' }
      return { result: 'changed', life: { ...life, state: 'finished', verdict: event.verdict, tier: event.tier }, ended: [], opened: [] }
    case 'prepare':
      if (life.attempts.length > 0) return { result: 'unchanged' }
      return over ? { result: 'illegal', code: 'verification-over' } : prepared(life)
    case 'reuse':
      if (life.attempts.length > 0) return { result: 'unchanged' }
      return over ? { result: 'illegal', code: 'verification-over' } : reused(life, event.outcomes)
    case 'attempt':
      return attemptEvent(life, event)
  }
}

/** Without a publisher's lock, replays wait for the lock that the first attempt records. */
function prepared(life: VerificationLife): VerificationTransition {
  const opened = Array.from({ length: life.locked ? life.wanted : 1 }, (_, index) => index + 1)
  const attempts = opened.map((): AttemptState => ({ state: 'queued', tries: 0 }))
  return { result: 'changed', life: { ...life, state: 'running', attempts }, ended: [], opened }
}

function reused(life: VerificationLife, outcomes: readonly Outcome[]): VerificationTransition {
  const attempts = outcomes.map((outcome): AttemptState => ({ state: 'committed', tries: 0, outcome, lease: null, digest: null }))
  const next: VerificationLife = { ...life, state: 'running', attempts }
  if (!attemptsCommitted(next)) return { result: 'illegal', code: 'attempts-open' }
  return { result: 'changed', life: next, ended: [], opened: [] }
}

function endsUnbuilt(life: VerificationLife, verdict: Verdict): boolean {
  return life.attempts.length === 0 && (verdict === 'refused' || verdict === 'undecided')
}

function attemptEvent(life: VerificationLife, { number, event }: Extract<VerificationEvent, { kind: 'attempt' }>): VerificationTransition {
  const before = life.attempts[number - 1]
  if (before === undefined) return { result: 'illegal', code: 'attempt-queued' }
  const step = transitionAttempt(before, event)
  if (step.result !== 'changed') return step
  const attempts = life.attempts.with(number - 1, step.state)
  const next: VerificationLife = { ...life, state: 'running', attempts }
  const opened = due(next)
  return {
    result: 'changed',
    life: { ...next, attempts: [...attempts, ...opened.map((): AttemptState => ({ state: 'queued', tries: 0 }))] },
    ended: step.ended === null ? [] : [{ attempt: number, ended: step.ended }],
    opened,
  }
}

/**
 * Attempts that may be opened now: the replays, once the first attempt has recorded its inputs. A failure that is the build's own is
 * tried again, to tell a broken recipe from a flaky one; any other outcome has its answer.
 */
function due({ attempts, wanted, locked }: Pick<VerificationLife, 'attempts' | 'wanted' | 'locked'>): number[] {
  const [first] = attempts
  if (locked || attempts.length !== 1 || first?.state !== 'committed') return []
  if (first.outcome !== 'built' && first.outcome !== 'build-failed') return []
  return Array.from({ length: wanted - 1 }, (_, index) => index + 2)
}

function cancelled(life: VerificationLife): VerificationTransition {
  const steps = life.attempts.map((attempt) => transitionAttempt(attempt, { kind: 'cancel' }))
  return {
    result: 'changed',
    life: {
      ...life,
      state: 'cancelled',
      attempts: life.attempts.map((attempt, index) => {
        const step = steps[index]
        return step?.result === 'changed' ? step.state : attempt
      }),
    },
    ended: steps.flatMap((step, index) =>
      step.result === 'changed' && step.ended !== null ? [{ attempt: index + 1, ended: step.ended }] : [],
    ),
    opened: [],
  }
}
