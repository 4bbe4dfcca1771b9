import { Failure } from '../../../verifier/model/failure.ts'
import type { IllegalCode } from '../lifecycle/attempt-state.ts'

const REFUSALS: Readonly<Record<IllegalCode, readonly [string, string]>> = {
  'lease-held': ['the attempt is being run by another worker', 'take another job'],
  'lease-not-yours': ['the lease belongs to another worker or has been given to one', 'take another job: this one is not yours'],
  'lease-expired': ['the lease has run out', 'send heartbeats in time; the attempt is tried again by whoever takes it next'],
  'attempt-queued': ['nobody holds the attempt', 'take it first'],
  'attempt-committed': ['the attempt is committed, and never changes', 'take another job'],
  'verification-over': ['the verification is finished or cancelled', 'read it; to have it done again, submit it again'],
  'attempts-open': ['attempts of the verification are not committed yet', 'wait until they are'],
}

/** Why an event cannot be. */
export function transitionRefused(code: IllegalCode): Failure {
  const [message, hint] = REFUSALS[code]
  return new Failure({ code, message, hint })
}

export function isIllegalCode(code: string): code is IllegalCode {
  return Object.hasOwn(REFUSALS, code)
}
