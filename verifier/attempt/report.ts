import type { Claim } from '../model/claim.ts'
import type { Comparison } from '../model/comparison.ts'
import type { Sha256 } from '../model/digest.ts'
import type { Finding } from '../model/finding.ts'
import type { RecipeReading } from '../model/recipe.ts'
import { CHECK_REPORT_SCHEMA, type CheckReport, VERIFICATION_REPORT_SCHEMA, type VerificationReport } from '../model/report.ts'
import type { PinnedSource } from '../model/source.ts'
import { decideCheck, decideVerification, type VerdictReason } from '../model/verdict.ts'
import type { AttemptResult } from './attempt.ts'

export type Explained = {
  readonly findings: readonly Finding[]
  readonly state: 'complete' | 'skip' | 'truncated'
  readonly reason: string | null
  /** Blobs of the explanations. */
  readonly documents: readonly Sha256[]
}

export type Witnessed = {
  readonly source: PinnedSource
  readonly reading: RecipeReading
  readonly architecture: string
  readonly builder: { readonly digest: Sha256; readonly mkosi: string } | null
  readonly attempts: { readonly results: readonly Pick<AttemptResult, 'attempt' | 'indexes'>[] }
  readonly comparisons: readonly Comparison[]
  readonly explained: Explained
  readonly startedAt: string
  readonly finishedAt: string
  readonly version: string
}

export function verificationReport(claims: readonly Claim[], seen: Witnessed): VerificationReport {
  const attempts = seen.attempts.results.map((result) => result.attempt)
  const decision = decideVerification({ recipeFindings: seen.reading.findings, attempts, comparisons: seen.comparisons, claims })
  const { verdict, tier, reasons } = decision
  return { schema: VERIFICATION_REPORT_SCHEMA, verdict, tier, claims: [...claims], ...witnessed(seen, reasons) }
}

export function checkReport(seen: Witnessed): CheckReport {
  const attempts = seen.attempts.results.map((result) => result.attempt)
  const { verdict, reasons } = decideCheck({ recipeFindings: seen.reading.findings, attempts, comparisons: seen.comparisons })
  return { schema: CHECK_REPORT_SCHEMA, verdict, ...witnessed(seen, reasons) }
}

function witnessed(seen: Witnessed, reasons: readonly VerdictReason[]) {
  const results = seen.attempts.results
  const locks = new Set(results.map(({ attempt }) => attempt.lock))
  const [lock] = locks
  return {
    reasons: [...reasons],
    architecture: seen.architecture,
    source: seen.source,
    recipe: seen.reading.recipe,
    recipeFindings: [...seen.reading.findings],
    builder: seen.builder === null ? null : { digest: seen.builder.digest, mkosi: seen.builder.mkosi },
    sandbox: results[0]?.attempt.sandbox?.digest ?? null,
    lock: locks.size === 1 ? (lock ?? null) : null,
    indexes: indexesOf(seen.attempts),
    attempts: results.map(({ attempt }) => attempt),
    comparisons: [...seen.comparisons],
    findings: [...seen.explained.findings],
    explanation: { state: seen.explained.state, reason: seen.explained.reason, documents: [...seen.explained.documents] },
    startedAt: seen.startedAt,
    finishedAt: seen.finishedAt,
    tool: { name: 'bitwitness' as const, version: seen.version },
  }
}

/**
 * Of all attempts together. A lock that names signed indexes beside these is not refused: one that was recorded otherwise may honestly
 * hold more than is asked for here, and what no attempt worked from decides no bit. It is not listed either.
 */
function indexesOf({ results }: Witnessed['attempts']): VerificationReport['indexes'] {
  const used = new Map(results.flatMap(({ indexes }) => indexes.map((index) => [`${index.archive} ${index.path}`, index])))
  const indexes = [...used.values()].map(({ archive, suite, date, validUntil }) => ({ archive, suite, date, validUntil }))
  return indexes.toSorted((a, b) => (`${a.archive} ${a.suite}` < `${b.archive} ${b.suite}` ? -1 : 1))
}
