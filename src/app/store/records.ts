import { z } from 'zod'
import type { Attempt, OutcomeReason } from '../../../verifier/model/attempt.ts'
import type { Claim } from '../../../verifier/model/claim.ts'
import type { Tier } from '../../../verifier/model/comparison.ts'
import { Sha256 } from '../../../verifier/model/digest.ts'
import type { AttemptEvent } from '../../../verifier/model/event.ts'
import { type PinnedSource, RecipePath } from '../../../verifier/model/source.ts'
import type { Verdict } from '../../../verifier/model/verdict.ts'
import type { AttemptState, TryEnding } from '../lifecycle/attempt-state.ts'

/** A source as its owner named it, before it is pinned. */
export const SubmittedSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('git'), url: z.string().min(1).max(2048), commit: z.string().min(1).max(256), path: RecipePath }),
  z.strictObject({ kind: z.literal('archive'), name: z.string().min(1).max(255), path: RecipePath }),
])
export type SubmittedSource = z.infer<typeof SubmittedSource>

export type VerificationState = 'accepted' | 'running' | 'finished' | 'cancelled'

/** Who submits. `issuer` is `local` for an owner that the operator made, the issuer of their tokens otherwise. */
export type Owner = {
  readonly id: string
  readonly kind: 'local' | 'oidc'
  readonly issuer: string
  readonly subject: string
  readonly name: string
  readonly createdAt: Date
}

/** An API token without its secret. */
export type Token = {
  readonly id: string
  readonly ownerId: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly revokedAt: Date | null
  readonly lastUsedAt: Date | null
}

/** What an owner asks for. Blobs are in the store already. */
export type Submission = {
  readonly ownerId: string
  readonly source: SubmittedSource
  /** Blob of the archive, where the source is one. */
  readonly upload: Sha256 | null
  readonly claims: readonly Claim[]
  /** A publisher's lock: every attempt is then a replay of it. */
  readonly lock: Sha256 | null
  readonly inputs: Sha256 | null
  /** 1 to 9. */
  readonly attempts: number
  readonly callbackUrl: string | null
}

/** A verification as anybody may read it. */
export type Verification = {
  readonly id: string
  readonly ownerId: string
  readonly source: SubmittedSource
  readonly pinned: PinnedSource | null
  readonly upload: Sha256 | null
  /** Null while an attempt could still echo them: until all attempts are committed, and where that never came. */
  readonly claims: readonly Claim[] | null
  readonly lock: Sha256 | null
  readonly inputs: Sha256 | null
  readonly attemptsWanted: number
  readonly state: VerificationState
  readonly verdict: Verdict | null
  readonly tier: Tier | null
  readonly builder: Sha256 | null
  readonly report: Sha256 | null
  readonly createdAt: Date
  readonly finishedAt: Date | null
}

export type Subject = { readonly sha256: Sha256; readonly kind: 'claim' | 'artifact'; readonly name: string }

/** What is known about a digest: one row for each verification that it is a subject of. */
export type Known = { readonly verification: Verification; readonly subjects: readonly Subject[] }

export const WorkerCapabilities = z.strictObject({
  /** Debian's word: `amd64`, `arm64`. */
  architecture: z.string().min(1).max(32),
  builders: z.array(Sha256).max(64),
  isolation: z.literal('shared-kernel'),
})
export type WorkerCapabilities = z.infer<typeof WorkerCapabilities>

/** An attempt as the store holds it. `life` is what transitions work on. */
export type StoredAttempt = {
  readonly id: string
  readonly verificationId: string
  /** 1-based within its verification. */
  readonly number: number
  readonly mode: 'live' | 'replay'
  readonly life: AttemptState
  /** Null until it is committed. */
  readonly report: Attempt | null
  readonly createdAt: Date
  readonly committedAt: Date | null
}

/** One try that ended: nothing that ran is forgotten. */
export type StoredTry = {
  readonly attemptId: string
  /** 1-based within its attempt. */
  readonly number: number
  readonly lease: string
  readonly worker: string
  readonly startedAt: Date
  readonly endedAt: Date
  readonly ending: TryEnding
  readonly reason: OutcomeReason | null
}

export type Worker = {
  readonly id: string
  readonly name: string
  /** Ed25519, SubjectPublicKeyInfo in base64. */
  readonly publicKey: string
  readonly capabilities: WorkerCapabilities
  readonly addedAt: Date
  readonly revokedAt: Date | null
  readonly lastSeenAt: Date | null
}

export type BlobRole = 'upload' | 'lock' | 'inputs' | 'report' | 'log' | 'tree-manifest' | 'explanation' | 'bundle'

export type Attestation = {
  readonly id: string
  readonly verificationId: string
  readonly predicateType: string
  /** Blob of the Sigstore bundle. */
  readonly bundle: Sha256
  readonly signer: string
  readonly createdAt: Date
}

export type SigningTask = {
  readonly verificationId: string
  readonly predicateType: string
  readonly tries: number
  readonly createdAt: Date
  readonly nextAt: Date
  readonly lastCode: string | null
}

type Unplaced<E> = E extends unknown ? Omit<E, 'seq'> : never
/** An event before the store gives it its place in the verification. */
export type NewEvent = Unplaced<AttemptEvent>
