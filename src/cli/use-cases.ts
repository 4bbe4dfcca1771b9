import type { Claim } from '../../verifier/model/claim.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import type { AttemptEvent } from '../../verifier/model/event.ts'
import type { CheckReport, VerificationReport } from '../../verifier/model/report.ts'

/** What check, verify and build have in common. Paths are the caller's. */
export type RebuildCommand = {
  readonly source: string
  readonly attempts: number
  /** A publisher's lock: every attempt is then a replay of it. */
  readonly lock: string | null
  /** An inputs archive that belongs to the lock. */
  readonly inputs: string | null
  readonly builder: Sha256 | null
  /** `YYYYMMDDThhmmssZ`. */
  readonly snapshot: string | null
  readonly signal: AbortSignal
  readonly emit: (event: AttemptEvent) => void
}

export type VerifyCommand = RebuildCommand & {
  readonly claims: readonly Claim[]
  /** File or URL of the claimed bytes. */
  readonly claimed: string | null
}

/** What stands behind the commands. */
export interface UseCases extends AsyncDisposable {
  verify(command: VerifyCommand): Promise<VerificationReport>
  check(command: RebuildCommand): Promise<CheckReport>
}
