import { Failure } from '../../../verifier/model/failure.ts'
import type { StoredAttempt } from '../store/records.ts'
import type { HeldVerification, Unit } from '../store/store-ports.ts'

export type HeldAttempt = { readonly attempt: StoredAttempt; readonly held: HeldVerification }

/** The verification is locked first, by everybody: so nobody waits in a circle. Undefined where there is no such attempt. */
export async function findAttempt(unit: Unit, attemptId: string): Promise<HeldAttempt | undefined> {
  const held = await unit.verifications.holdOf(attemptId)
  const attempt = held?.attempts.find(({ id }) => id === attemptId)
  return held === undefined || attempt === undefined ? undefined : { attempt, held }
}

/** The same; fails with `attempt-unknown`. */
export async function holdAttempt(unit: Unit, attemptId: string): Promise<HeldAttempt> {
  const found = await findAttempt(unit, attemptId)
  if (found === undefined) throw attemptUnknown()
  return found
}

export function attemptUnknown(): Failure {
  return new Failure({ code: 'attempt-unknown', message: 'there is no such attempt', hint: 'take a job, and report under its attempt' })
}
