import { Failure, firstFailure } from '../../../verifier/model/failure.ts'
import type { JobTrouble, OwnJob } from './job-runner.ts'

/** What went wrong, with an id. */
export function troubleOf(
  error: unknown,
  { kind, verificationId, newId }: { kind: OwnJob; verificationId: string | null; newId: () => string },
): JobTrouble {
  const cause = firstFailure(error)
  return { id: newId(), kind, verificationId, code: cause instanceof Failure ? cause.code : 'internal', cause }
}
