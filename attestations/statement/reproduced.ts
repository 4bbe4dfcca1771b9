import { Failure } from '../../verifier/model/failure.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import type { StatementContext } from './context.ts'
import { claimedSubjects, evidenceOf } from './evidence-of.ts'
import { PREDICATE_TYPE, STATEMENT_TYPE } from './predicate-types.ts'
import type { ReproducedPredicate } from './reproduced-predicate.ts'
import { type Reviewed, reviewReport } from './review.ts'
import type { Statement } from './statement.ts'

/**
 * The statement that every claim was rebuilt bit for bit by every attempt. Whether that is so is found out from the evidence again, down to
 * the digests. Failures: those of `reviewReport`, and `not-reproduced` for everything less.
 */
export function reproducedOf(report: VerificationReport, context: StatementContext): Statement<ReproducedPredicate> {
  const reviewed = reviewReport(report)
  if (isReproduced(reviewed)) return reproducedOfReviewed(reviewed, context)
  throw new Failure({
    code: 'not-reproduced',
    message: 'not every claim was reproduced bit for bit by every attempt',
    hint: 'the rebuild result says what was found',
  })
}

export function reproducedOfReviewed(reviewed: Reviewed, context: StatementContext): Statement<ReproducedPredicate> {
  return {
    _type: STATEMENT_TYPE,
    subject: claimedSubjects(reviewed.report),
    predicateType: PREDICATE_TYPE.reproduced,
    predicate: { verdict: 'reproduced', tier: 'bit-exact', ...evidenceOf(reviewed, context) },
  }
}

/** Bit-exact comparisons were held against the attempts' digests by the review; here each claim needs one with each attempt, and no other. */
export function isReproduced({ report: { claims, attempts, comparisons }, decision }: Reviewed): boolean {
  if (decision.verdict !== 'reproduced' || decision.tier !== 'bit-exact') return false
  return claims.every((_, index) => {
    const against = comparisons.filter(({ claim }) => claim === index)
    const exact = against.every(({ result, tier }) => result === 'equal' && tier === 'bit-exact')
    return exact && attempts.every(({ number }) => against.some(({ left }) => left.attempt === number))
  })
}
