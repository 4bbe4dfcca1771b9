import type { Held } from './attested.ts'
import type { RuleResult } from './decision.ts'
import type { GateFacts, ImageFacts } from './facts.ts'
import type { Policy } from './policy.ts'

/** What rules call whoever wants to run an app; nothing else is called so. */
export const GUEST = 'guest'

export type Said = Omit<RuleResult, 'rule'>

/** An image, and what the policy has to do with it. */
export type JudgedImage = {
  readonly facts: ImageFacts
  /** What answers call it. */
  readonly subject: string
  /** Whether the policy lists it. */
  readonly listed: boolean
  /** The attestation that goes furthest; undefined where there is none, or nothing to hold it against. */
  readonly held: Held | undefined
}

export type Judging = {
  readonly policy: Policy
  readonly facts: GateFacts
  readonly images: readonly JudgedImage[]
  /** Of the guest image, where the policy wants it rebuilt. */
  readonly osImage: Held | undefined
}

/** One question that a gate asks. What cannot be found out is a `fail`; `skip` is what was not asked about. */
export type GateRule = {
  readonly id: string
  /** What it asks, and why; for docs/gate-rules.md. */
  readonly text: string
  check(judging: Judging): Iterable<Said>
}

export const pass = (subject: string, reason: string): Said => ({ subject, result: 'pass', reason })
export const fail = (subject: string, reason: string): Said => ({ subject, result: 'fail', reason })
export const skip = (subject: string, reason: string): Said => ({ subject, result: 'skip', reason })

/** A pass or a fail by a condition. */
export function that(condition: boolean, subject: string, [good, bad]: readonly [good: string, bad: string]): Said {
  return condition ? pass(subject, good) : fail(subject, bad)
}
