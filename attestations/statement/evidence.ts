import { z } from 'zod'
import { ArtifactFormat, LimitKind, Outcome, SandboxFacts } from '../../verifier/model/attempt.ts'
import { Claim } from '../../verifier/model/claim.ts'
import { Comparison, Tier, Transformation } from '../../verifier/model/comparison.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Finding } from '../../verifier/model/finding.ts'
import { NotChecked } from '../../verifier/model/not-checked.ts'
import { VerificationReport } from '../../verifier/model/report.ts'
import { PinnedSource } from '../../verifier/model/source.ts'
import { AbsoluteUri, Timestamp } from './statement.ts'

/** What one attempt has to show for one claim. */
export const Observation = z.strictObject({
  attempt: z.int().positive(),
  result: Comparison.shape.result,
  tier: Tier.nullable(),
  transformations: z.array(Transformation),
  /** Null where the attempt has no such artifact. */
  artifact: z.string().nullable(),
  /** The digest that this attempt computed; for the claim's kind where it has one. */
  sha256: Sha256.nullable(),
})
export type Observation = z.infer<typeof Observation>

export const JudgedClaim = z.strictObject({
  ...Claim.pick({ kind: true, name: true, sha256: true }).shape,
  observed: z.array(Observation),
})
export type JudgedClaim = z.infer<typeof JudgedClaim>

export const AttestedAttempt = z.strictObject({
  number: z.int().positive(),
  mode: z.enum(['live', 'replay']),
  outcome: Outcome,
  limit: LimitKind.nullable(),
  /** Code of why it was not built. */
  reason: z.string().nullable(),
  /** Earlier tries that trouble of our own ended. */
  retried: z.int().nonnegative(),
  artifacts: z.array(
    z.strictObject({
      name: z.string(),
      format: ArtifactFormat,
      sha256: Sha256,
      size: z.int().nonnegative(),
      /** Digest of the image manifest, where the artifact is or is packed as an image. */
      ociManifest: Sha256.nullable(),
      treeManifest: Sha256.nullable(),
      /** False where canonical form refused it, so that its digest says nothing. */
      comparable: z.boolean(),
    }),
  ),
  lock: Sha256.nullable(),
  log: Sha256.nullable(),
  builder: Sha256.nullable(),
  sandbox: SandboxFacts.nullable(),
  /** Of its first stage. */
  startedAt: Timestamp.nullable(),
  /** All its stages together, whole milliseconds. */
  ms: z.int().nonnegative(),
})
export type AttestedAttempt = z.infer<typeof AttestedAttempt>

/**
 * What both of our predicates say beside verdict and tier, and all that a reviewer asks for: no sentence of anybody is in it, codes and
 * digests only; the report that the digest names has the sentences.
 */
export const evidenceShape = {
  /** Codes of why the verdict is not better than it is. */
  reasons: z.array(z.string()),
  /** Who had it rebuilt, as authenticated; null: nobody asked. What is said here is said of this source and this owner only. */
  owner: z.string().nullable(),
  source: PinnedSource,
  architecture: z.string(),
  claims: z.array(JudgedClaim).min(1),
  attempts: z.array(AttestedAttempt),
  builder: z.strictObject({
    /** One for each security mode that an attempt ran in. */
    ids: z.array(AbsoluteUri),
    digest: Sha256.nullable(),
    mkosi: z.string().nullable(),
  }),
  inputs: z.strictObject({
    lock: Sha256.nullable(),
    /** Whether the lock was given and every attempt was a replay of it. */
    given: z.boolean(),
    indexes: VerificationReport.shape.indexes,
  }),
  findings: z.strictObject({
    recipe: z.array(Finding.pick({ rule: true, severity: true })),
    /** Rules that explain a difference. */
    differences: z.array(Finding.shape.rule),
  }),
  notChecked: z.array(NotChecked),
  verifier: z.strictObject({
    tool: z.literal('bitwitness'),
    version: z.string(),
    operator: z.string().nullable(),
    worker: z.string().nullable(),
  }),
  invocationId: z.string().min(1).max(2048),
  /** sha256 of the report's exact bytes. */
  report: Sha256,
  startedAt: Timestamp,
  finishedAt: Timestamp,
}
export const Evidence = z.strictObject(evidenceShape)
export type Evidence = z.infer<typeof Evidence>
