import type { VerificationReport } from '../../verifier/model/report.ts'
import type { StatementContext } from './context.ts'
import { type KnownLock, provenanceOfReviewed } from './provenance.ts'
import { rebuildResultOfReviewed } from './rebuild-result.ts'
import { isReproduced, reproducedOfReviewed } from './reproduced.ts'
import { reviewReport } from './review.ts'
import type { Statement } from './statement.ts'

/**
 * All statements that a report gives rise to, in this order: the provenance where attempts agree, then `reproduced` or the rebuild result.
 * Failures: those of `reviewReport` (`verdict-not-attestable` for undecided and cancelled), `lock-of-another-build`.
 */
export function statementsOf(report: VerificationReport, context: StatementContext, inputs?: KnownLock): readonly Statement[] {
  const reviewed = reviewReport(report)
  const provenance = provenanceOfReviewed(reviewed, context, inputs)
  const verdict = isReproduced(reviewed) ? reproducedOfReviewed(reviewed, context) : rebuildResultOfReviewed(reviewed, context)
  return provenance === null ? [verdict] : [provenance, verdict]
}
