import { Failure } from '../../verifier/model/failure.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import type { StatementContext } from './context.ts'
import type { Evidence } from './evidence.ts'
import { claimedSubjects, evidenceOf } from './evidence-of.ts'
import { PREDICATE_TYPE, STATEMENT_TYPE } from './predicate-types.ts'
import type { RebuildResultPredicate } from './rebuild-result-predicate.ts'
import { isReproduced } from './reproduced.ts'
import { type Reviewed, reviewReport } from './review.ts'
import type { Statement } from './statement.ts'

/**
 * The statement of every verdict that is not bit-exact reproduction. It counts only against its own source, owner and claim, which are in
 * it: anybody can pair a digest with a source that does not build it. Failures: those of `reviewReport`, and `reproduced-bit-exact`.
 */
export function rebuildResultOf(report: VerificationReport, context: StatementContext): Statement<RebuildResultPredicate> {
  const reviewed = reviewReport(report)
  if (!isReproduced(reviewed)) return rebuildResultOfReviewed(reviewed, context)
  throw new Failure({
    code: 'reproduced-bit-exact',
    message: 'a bit-exact reproduction is no rebuild result: it has a statement of its own',
    hint: 'make the reproduced statement',
  })
}

export function rebuildResultOfReviewed(reviewed: Reviewed, context: StatementContext): Statement<RebuildResultPredicate> {
  const { report } = reviewed
  return {
    _type: STATEMENT_TYPE,
    subject: claimedSubjects(report),
    predicateType: PREDICATE_TYPE.rebuildResult,
    predicate: predicateOf(reviewed, evidenceOf(reviewed, context)),
  }
}

function predicateOf({ report, decision: { verdict } }: Reviewed, evidence: Evidence): RebuildResultPredicate {
  const undone = report.comparisons.flatMap((one) => (one.claim === null ? [] : one.transformations))
  const transformations = [...new Set(undone)].toSorted()
  return verdict === 'reproduced'
    ? { verdict, tier: 'content-equal', transformations, ...evidence }
    : { verdict, tier: null, transformations, ...evidence }
}
