import { z } from 'zod'
import { Attempt } from './attempt.ts'
import { Claim } from './claim.ts'
import { Comparison, Tier } from './comparison.ts'
import { Sha256 } from './digest.ts'
import { Finding } from './finding.ts'
import { Recipe } from './recipe.ts'
import { PinnedSource } from './source.ts'
import { CheckVerdict, Verdict, VerdictReason } from './verdict.ts'

export const VERIFICATION_REPORT_SCHEMA = 'bitwitness/verification-report/v1'
export const CHECK_REPORT_SCHEMA = 'bitwitness/check-report/v1'

const witnessed = {
  reasons: z.array(VerdictReason),
  /** Debian's word: `amd64`, `arm64`. */
  architecture: z.string(),
  source: PinnedSource,
  recipe: Recipe,
  recipeFindings: z.array(Finding),
  builder: z.strictObject({ digest: Sha256, mkosi: z.string() }).nullable(),
  /** sha256 of the sandbox's settings, equal for all attempts. */
  sandbox: Sha256.nullable(),
  /** Blob of the input lock that all attempts share. */
  lock: Sha256.nullable(),
  /** Signed indexes that attempts took packages by: an old signed index is still signed, so policies bound the age of each. */
  indexes: z.array(z.strictObject({ archive: z.string(), suite: z.string(), date: z.string(), validUntil: z.string().nullable() })),
  attempts: z.array(Attempt),
  comparisons: z.array(Comparison),
  /** Why bits differ. */
  findings: z.array(Finding),
  /** Set where differences were not, or not wholly, explained: the reason. */
  explanation: z.strictObject({
    state: z.enum(['complete', 'skip', 'truncated']),
    reason: z.string().nullable(),
    /** Blobs of the whole explanations (bitwitness/explanation/v1), one for each pair of artifacts that was looked into. */
    documents: z.array(Sha256),
  }),
  startedAt: z.string(),
  finishedAt: z.string(),
  tool: z.strictObject({ name: z.literal('bitwitness'), version: z.string() }),
}

/** What the command line prints with --json, what a worker reports, and what statements are made from. */
export const VerificationReport = z.strictObject({
  schema: z.literal(VERIFICATION_REPORT_SCHEMA),
  /** Null only where it was cancelled. */
  verdict: Verdict.nullable(),
  tier: Tier.nullable(),
  claims: z.array(Claim).min(1),
  ...witnessed,
})
export type VerificationReport = z.infer<typeof VerificationReport>

/** Attempts without a claim, for publishers. */
export const CheckReport = z.strictObject({
  schema: z.literal(CHECK_REPORT_SCHEMA),
  verdict: CheckVerdict.nullable(),
  ...witnessed,
})
export type CheckReport = z.infer<typeof CheckReport>
