import { z } from 'zod'
import { Attempt } from '../../../verifier/model/attempt.ts'
import { Claim } from '../../../verifier/model/claim.ts'
import { Tier } from '../../../verifier/model/comparison.ts'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { RecipeReading } from '../../../verifier/model/recipe.ts'
import { PinnedSource, RecipePath } from '../../../verifier/model/source.ts'
import { Verdict, VerdictReason } from '../../../verifier/model/verdict.ts'
import { SubmittedSource } from '../store/records.ts'

/** The documents of the public API: what is validated, what answers are made of, and what openapi.json and clients are made from. */
const Instant = z.iso.datetime()
const Id = z.uuid()

/** A git repository, or an archive that was uploaded before (`POST /v1/uploads`). */
export const SourceRequest = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('git'),
    url: z.string().min(1).max(2048),
    commit: z.string().min(1).max(256).describe('All digits of a commit, a branch or a tag; what it is when it is pinned counts.'),
    path: RecipePath.default('.').describe('Folder of the recipe.'),
  }),
  z.strictObject({ kind: z.literal('archive'), sha256: Sha256, name: z.string().min(1).max(255), path: RecipePath.default('.') }),
])

/** `POST /v1/verifications`. */
export const SubmissionRequest = z.strictObject({
  source: SourceRequest,
  claims: z.array(Claim).min(1).max(32),
  lock: Sha256.nullable().default(null).describe('An uploaded input lock: every attempt is then a replay of it.'),
  inputs: Sha256.nullable().default(null).describe('An uploaded inputs archive, that belongs to the lock or brings its own.'),
  builder: Sha256.nullable().default(null).describe('Digest of a builder that the service knows; null: its default one.'),
  attempts: z.int().min(1).max(9).default(2).describe('How often it is built. One proves less than two.'),
  maxAge: z
    .int()
    .min(1)
    .max(365 * 86_400)
    .nullable()
    .default(null)
    .describe(
      'Takes an answer that is no older than so many seconds, where recipe, lock, builder and architecture are the same; null: rebuilds. ' +
        'Where no builder is named, it is the one that would be taken now.',
    ),
  callback: z
    .url({ protocol: /^https$/ })
    .max(2048)
    .nullable()
    .default(null)
    .describe('Told once of the end: https, on a public address.'),
})
export type SubmissionRequest = z.infer<typeof SubmissionRequest>

export const UploadAnswer = z.strictObject({ sha256: Sha256, size: z.int().nonnegative(), expiresAt: Instant })
export type UploadAnswer = z.infer<typeof UploadAnswer>

/** Whoever submits, as authenticated. */
export const OwnerView = z.strictObject({
  id: Id,
  kind: z.enum(['local', 'oidc']),
  name: z.string(),
  issuer: z.string(),
  subject: z.string(),
})
export type OwnerView = z.infer<typeof OwnerView>

/** Who sends the request, and what the token is good for. `webhookSecret` is what callbacks to this owner are signed with. */
export const CallerView = z.strictObject({
  owner: OwnerView,
  scopes: z.array(z.string()),
  repositories: z.array(z.string()).nullable().describe('Repositories that submissions may be of; null: any source.'),
  trusted: z.boolean().describe('Whether a worker inside of the service may build what this owner submits.'),
  webhookSecret: z.string(),
})
export type CallerView = z.infer<typeof CallerView>

export const AttestationView = z.strictObject({
  id: Id,
  verification: Id.nullable().describe('Null: it is about no verdict, but what a gate says (docs/policy.md).'),
  predicateType: z.string(),
  bundle: Sha256.describe('Blob of the Sigstore bundle, and where to have it.'),
  signer: z.string(),
  createdAt: Instant,
  links: z.strictObject({ bundle: z.string() }),
})
export type AttestationView = z.infer<typeof AttestationView>

/** One try of an attempt that ended: nothing that ran is hidden. */
const TryView = z.strictObject({
  number: z.int().positive(),
  worker: z.string().describe('Id of the worker that had it.'),
  startedAt: Instant,
  endedAt: Instant,
  ending: z.enum(['committed', 'infrastructure', 'lease-lost', 'cancelled']),
  reason: z.string().nullable().describe('A code of /docs/errors.'),
})

export const AttemptView = z.strictObject({
  id: Id,
  verification: Id,
  number: z.int().positive(),
  mode: z.enum(['live', 'replay']),
  state: z.enum(['queued', 'leased', 'committed']),
  outcome: Attempt.shape.outcome.nullable(),
  report: Attempt.nullable().describe(
    'Null until all attempts of the verification are committed: what one worker saw, no other could repeat.',
  ),
  tries: z.array(TryView),
  createdAt: Instant,
  committedAt: Instant.nullable(),
  links: z.strictObject({ self: z.string(), log: z.string(), events: z.string() }),
})
export type AttemptView = z.infer<typeof AttemptView>

export const VerificationView = z.strictObject({
  id: Id,
  state: z.enum(['accepted', 'running', 'finished', 'cancelled']),
  verdict: Verdict.nullable().describe('Null until it is finished, and where it was cancelled.'),
  tier: Tier.nullable().describe('Of what was reproduced: how closely.'),
  reasons: z.array(VerdictReason),
  owner: OwnerView,
  source: SubmittedSource,
  pinned: PinnedSource.nullable(),
  claims: z.array(Claim).nullable().describe('Null until all attempts are committed, and where that never came.'),
  attempts: z.int().min(1).max(9).describe('How many are wanted.'),
  architecture: z.string().nullable(),
  builder: Sha256.nullable(),
  lock: Sha256.nullable().describe('As its owner gave them. A lock that the first attempt recorded is in its report.'),
  inputs: Sha256.nullable(),
  reusedFrom: Id.nullable().describe('An earlier verification whose attempts answered this one, which allowed that.'),
  report: Sha256.nullable().describe('Blob of the report.'),
  attestations: z.array(AttestationView),
  unsigned: z
    .array(z.strictObject({ predicateType: z.string(), tries: z.int().nonnegative(), lastCode: z.string().nullable() }))
    .describe('What is yet to be signed: it is tried until it is. `lastCode` says why the last try failed.'),
  createdAt: Instant,
  finishedAt: Instant.nullable(),
  links: z.strictObject({
    self: z.string(),
    attempts: z.string(),
    events: z.string(),
    recipe: z.string().nullable(),
    report: z.string().nullable(),
    source: z.string().nullable(),
  }),
})
export type VerificationView = z.infer<typeof VerificationView>

/** The answer to a submission: 202, with a Location. `notice` says what its owner should know, such as that no worker is there yet. */
export const SubmissionAnswer = z.strictObject({
  verification: VerificationView,
  joined: z.boolean().describe('The owner had the same submission open, or said the same before.'),
  notice: z.string().nullable().describe('What its owner should know, such as that no worker is there yet.'),
})
export type SubmissionAnswer = z.infer<typeof SubmissionAnswer>

/** One (source, claims, owner) that a digest is known by: a stranger's junk source says nothing about a victim's. */
export const KnownView = z.strictObject({
  sha256: Sha256,
  key: Sha256.describe('Of source (commit and folder, or archive), claims and owner.'),
  subjects: z.array(z.strictObject({ kind: z.enum(['claim', 'artifact']), name: z.string() })).describe('What the digest is in it.'),
  verification: VerificationView,
  count: z
    .int()
    .positive()
    .describe('Verifications of this key that are finished; `verification` is the newest that is not undecided, if one is.'),
  firstAt: Instant.describe('When the first of them was finished.'),
  links: z.strictObject({ history: z.string().describe('All of them, newest first.') }),
})
export type KnownView = z.infer<typeof KnownView>

/** What was read from the recipe without running it, and what its rules say. */
export const RecipeView = RecipeReading
export type RecipeView = z.infer<typeof RecipeView>

/** What follows the last event: how the verification ended. */
export const EndView = z.strictObject({
  verification: Id,
  state: z.enum(['finished', 'cancelled']),
  verdict: Verdict.nullable(),
  tier: Tier.nullable(),
})
export type EndView = z.infer<typeof EndView>

/** Newest first; `next` is the cursor of the next page. */
export const pageOf = <T extends z.ZodType>(item: T) => z.strictObject({ items: z.array(item), next: z.string().nullable() })

/** RFC 9457. `code` is stable; `hint` says what to do; `instance` is the id of the request. */
export const Problem = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string().describe('Stable; /docs/errors lists all.'),
  detail: z.string(),
  hint: z.string().describe('What to do.'),
  instance: z.string().describe('The id of the request, which its operator finds the cause under.'),
})
export type Problem = z.infer<typeof Problem>

/** What a callback URL is sent when a verification has its verdict (Standard Webhooks: signed in its headers). */
export const CallbackBody = z.strictObject({
  type: z.literal('verification.finished'),
  /** When it was finished. */
  timestamp: Instant,
  data: z.strictObject({
    verification: Id,
    owner: Id,
    source: SubmittedSource,
    verdict: Verdict,
    tier: Tier.nullable(),
    /** Blob of the report; null where not even the source could be had. */
    report: Sha256.nullable(),
    links: z.strictObject({ self: z.string(), report: z.string().nullable() }),
  }),
})
export type CallbackBody = z.infer<typeof CallbackBody>
