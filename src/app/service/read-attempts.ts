import { Failure } from '../../../verifier/model/failure.ts'
import type { StoredAttempt, StoredTry, Verification } from '../store/records.ts'
import type { Reads } from '../store/store-ports.ts'
import { type ReadPorts, verificationUnknown } from './read-verifications.ts'

/** `report` is null until all attempts are committed: what one worker saw, no other could repeat. */
export type AttemptRead = { readonly attempt: StoredAttempt; readonly tries: readonly StoredTry[] }

/** Fails with `attempt-unknown`. */
export async function readAttempt({ reads }: ReadPorts, id: string): Promise<AttemptRead> {
  return await withTries(reads, (await mustRead(reads, id)).attempt)
}

/** Those that were opened, in order. Fails with `verification-unknown`. */
export async function listAttempts({ reads }: ReadPorts, verificationId: string): Promise<readonly AttemptRead[]> {
  const verification = await reads.verifications.read(verificationId)
  if (verification === undefined) throw verificationUnknown()
  const attempts = await reads.attempts.of(verificationId)
  return await Promise.all(attempts.map((attempt) => withTries(reads, shown(attempt, verification))))
}

async function mustRead(reads: Reads, id: string): Promise<{ readonly attempt: StoredAttempt }> {
  const attempt = await reads.attempts.read(id)
  const verification = attempt === undefined ? undefined : await reads.verifications.read(attempt.verificationId)
  if (attempt !== undefined && verification !== undefined) return { attempt: shown(attempt, verification) }
  throw new Failure({ code: 'attempt-unknown', message: 'there is no such attempt', hint: 'check its id' })
}

/** Claims and reports come into the open together. */
function shown(attempt: StoredAttempt, verification: Verification): StoredAttempt {
  return verification.claims === null ? { ...attempt, report: null, indexes: [] } : attempt
}

async function withTries(reads: Reads, attempt: StoredAttempt): Promise<AttemptRead> {
  return { attempt, tries: await reads.attempts.tries(attempt.id) }
}
