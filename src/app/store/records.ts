import { z } from 'zod'
import type { Attempt, OutcomeReason } from '../../../verifier/model/attempt.ts'
import type { Claim } from '../../../verifier/model/claim.ts'
import type { Tier } from '../../../verifier/model/comparison.ts'
import { Sha256 } from '../../../verifier/model/digest.ts'
import type { AttemptEvent } from '../../../verifier/model/event.ts'
import type { SignedIndex } from '../../../verifier/model/lock.ts'
import type { RecipeReading } from '../../../verifier/model/recipe.ts'
import { type PinnedSource, RecipePath } from '../../../verifier/model/source.ts'
import type { Verdict, VerdictReason } from '../../../verifier/model/verdict.ts'
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
  /** The builder to build in; null: the one that the first attempt's worker takes by default. */
  readonly builder: Sha256 | null
  /** 1 to 9. */
  readonly attempts: number
  /** The same recipe, lock and builder, rebuilt no longer ago, answers at once; null: build anew. */
  readonly maxAgeSeconds: number | null
  /** Whether the operator vouches for the owner: a worker inside of the coordinator builds for nobody else. */
  readonly trusted: boolean
  readonly callbackUrl: string | null
}

/** Where a source was pinned and its recipe read: what attempts are made from. */
export type Prepared = {
  readonly pinned: PinnedSource
  /** Blob of the canonical tar of the recipe's folder. */
  readonly sourceTar: Sha256
  readonly reading: RecipeReading
  /** Debian's word. */
  readonly architecture: string
  /** Blob of the publisher's lock, or of the one that its inputs archive brought; null: the first attempt records one. */
  readonly lock: Sha256 | null
}

/** Architectures that attempts are queued for. */
export const ARCHITECTURES = ['amd64', 'arm64'] as const
export type Architecture = (typeof ARCHITECTURES)[number]

/** Which workers may take an attempt: by architecture, and whether its owner is a stranger, whose sources an in-process worker refuses. */
export type AttemptRoute = `${Architecture}-${'trusted' | 'stranger'}`
export const ATTEMPT_ROUTES: readonly AttemptRoute[] = ARCHITECTURES.flatMap((one) => [`${one}-trusted`, `${one}-stranger`] as const)

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
  readonly reasons: readonly VerdictReason[]
  /** Debian's word; null until the recipe is read. */
  readonly architecture: string | null
  /** Blob of the canonical tar of the recipe's folder; null until the recipe is read. */
  readonly sourceTar: Sha256 | null
  /** An earlier verification whose attempts answered this one, which allowed that. */
  readonly reusedFrom: string | null
  /** The builder asked for, and once it is finished the one that was taken. */
  readonly builder: Sha256 | null
  readonly report: Sha256 | null
  readonly createdAt: Date
  readonly finishedAt: Date | null
}

export type Subject = { readonly sha256: Sha256; readonly kind: 'claim' | 'artifact'; readonly name: string }

/**
 * What is known about a digest by one source, claims and owner. `verification` is the newest that has a verdict about the image, or, where
 * none could find out, the newest of those.
 */
export type Known = {
  /** Of source, claims and owner. */
  readonly key: Sha256
  readonly verification: Verification
  readonly subjects: readonly Subject[]
  /** Verifications that are finished. */
  readonly count: number
  /** When the first of them was. */
  readonly firstAt: Date
}

export const WorkerCapabilities = z.strictObject({
  /** Debian's word: `amd64`, `arm64`. */
  architecture: z.string().min(1).max(32),
  /** Those that it has; first the one that it takes where none is named. */
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
  readonly route: AttemptRoute
  readonly life: AttemptState
  /** Null until it is committed. */
  readonly report: Attempt | null
  readonly indexes: readonly SignedIndex[]
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
  /** Inside of a coordinator, or a program of its own. */
  readonly place: 'in-process' | 'remote'
  /** Ed25519, SubjectPublicKeyInfo in base64. */
  readonly publicKey: string
  /** As it said last; null until it was heard of. */
  readonly capabilities: WorkerCapabilities | null
  readonly addedAt: Date
  readonly revokedAt: Date | null
  readonly lastSeenAt: Date | null
}

export type BlobRole =
  | 'upload'
  | 'source'
  | 'lock'
  | 'inputs'
  | 'report'
  | 'log'
  | 'tree-manifest'
  | 'artifact'
  | 'explanation'
  | 'bundle'
  | 'builder'

/** Bytes that an owner brought for submissions to come. */
export type Upload = { readonly ownerId: string; readonly sha256: Sha256; readonly size: number; readonly createdAt: Date }

/** A builder that attempts were made in: its description as its worker has it, whose blobs any other worker can have. */
export type StoredBuilder = {
  readonly digest: Sha256
  /** Blob of the description (bitwitness/builder-image/v1). */
  readonly description: Sha256
  readonly architecture: string
  readonly mkosi: string
  readonly addedAt: Date
}

export type Attestation = {
  readonly id: string
  /** Null: it is about no verdict, but what a gate says. */
  readonly verificationId: string | null
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
