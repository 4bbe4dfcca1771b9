import type { Artifact, Attempt } from '../../verifier/model/attempt.ts'
import { digestsFor, isCandidate } from '../../verifier/model/claimed-digests.ts'
import type { Comparison } from '../../verifier/model/comparison.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import { type Decided, decideVerification, type Verdict } from '../../verifier/model/verdict.ts'

/** A report whose evidence was looked at. The decision is ours, made from that evidence. */
export type Reviewed = {
  readonly report: VerificationReport
  readonly decision: Decided<Exclude<Verdict, 'undecided'>>
  /** The last attempt that was built, if all attempts were and agree on bytes that can be compared; else null. */
  readonly attested: Attempt | null
}

/**
 * Looks at a report as a stranger's: derives the verdict again and holds every comparison against the digests of the attempts, so that
 * a statement says nothing that the attempts do not. Failures: `verdict-not-attestable`, `report-contradicts-itself`.
 */
export function reviewReport(report: VerificationReport): Reviewed {
  const { recipeFindings, attempts, comparisons, claims } = report
  const decision = decideVerification({ recipeFindings, attempts, comparisons, claims })
  if (decision.verdict !== report.verdict || decision.tier !== report.tier)
    throw contradiction('its verdict is not what its evidence decides')
  const { verdict, tier, reasons } = decision
  if (verdict === null || verdict === 'undecided')
    throw new Failure({
      code: 'verdict-not-attestable',
      message: 'a verification that was cancelled or stayed undecided says nothing about the image: there is nothing to sign',
      hint: 'verify again, then attest the new report',
    })
  for (const attempt of attempts) checkAttempt(attempt, report)
  if (new Set(attempts.map(({ number }) => number)).size !== attempts.length) throw contradiction('two attempts have one number')
  for (const comparison of comparisons) if (!stands(comparison, report)) throw contradiction('a comparison is not what the digests say')
  const agree = verdict === 'reproduced' || verdict === 'mismatch'
  if (agree && new Set(attempts.map(yieldOf)).size > 1) throw contradiction('attempts that are said to agree have other digests')
  const comparable = attempts.every(({ artifacts }) => artifacts.every(({ notComparable }) => notComparable === null))
  return { report, decision: { verdict, tier, reasons }, attested: agree && comparable ? (attempts.at(-1) ?? null) : null }
}

function checkAttempt(attempt: Attempt, report: VerificationReport): void {
  const built = attempt.outcome === 'built'
  if (built !== attempt.artifacts.length > 0)
    throw contradiction('an attempt was built without artifacts, or has some without having been built')
  if (built && (attempt.sandbox === null || attempt.builder === null)) throw contradiction('it does not say what an attempt was built in')
  if (attempt.builder !== null && attempt.builder !== report.builder?.digest) throw contradiction('an attempt ran in another builder')
  if (attempt.lock !== null && report.lock !== null && attempt.lock !== report.lock) throw contradiction('an attempt had another lock')
  if (new Set(attempt.artifacts.map(({ name }) => name)).size !== attempt.artifacts.length)
    throw contradiction('an attempt has two artifacts of one name')
}

/** Everything that attempts have to have in common, as one text. */
function yieldOf({ artifacts }: Attempt): string {
  const facts = artifacts.map(({ name, sha256, oci, notComparable }) => [name, sha256, oci?.manifest ?? null, notComparable === null])
  return JSON.stringify(facts.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)))
}

/** Whether a comparison is one that the digests of the attempts bear out. What only an unpacked comparison shows cannot be looked at here. */
function stands(comparison: Comparison, report: VerificationReport): boolean {
  const { result, tier, transformations } = comparison
  if ((result === 'equal') !== (tier !== null)) return false
  if ((tier === 'content-equal') !== transformations.length > 0) return false
  return comparison.claim === null ? standsBetween(comparison, report) : standsForClaim(comparison, comparison.claim, report)
}

function standsBetween({ left, right, result, tier }: Comparison, { attempts }: VerificationReport): boolean {
  const held = artifactOf(attempts, left)
  if (held === undefined || left.sha256 !== held.sha256) return false
  if (right === null) return result === 'missing'
  const other = artifactOf(attempts, right)
  if (other === undefined || other.name !== held.name || right.sha256 !== other.sha256 || left.attempt === right.attempt) return false
  const comparable = held.notComparable === null && other.notComparable === null
  if (!comparable) return result === 'not-comparable'
  const same = held.sha256 === other.sha256 && held.oci?.manifest === other.oci?.manifest
  return same ? result === 'equal' && tier === 'bit-exact' : result === 'different'
}

function standsForClaim({ left, right, result, tier }: Comparison, index: number, { claims, attempts }: VerificationReport): boolean {
  const claim = claims[index]
  const attempt = attempts.find(({ number }) => number === left.attempt)
  if (claim === undefined || attempt === undefined) return false
  if (right !== null && (right.attempt !== null || right.sha256 !== claim.sha256)) return false
  const meets = (one: Artifact): boolean =>
    one.notComparable === null && isCandidate(claim, one) && digestsFor(claim, one).includes(claim.sha256)
  const held = artifactOf(attempts, left)
  if (result === 'equal' && tier === 'bit-exact') return held !== undefined && meets(held)
  if (attempt.artifacts.some(meets)) return false
  return result === 'missing' || (held !== undefined && digestsOf(held).includes(left.sha256))
}

function artifactOf(attempts: readonly Attempt[], side: Comparison['left']): Artifact | undefined {
  return attempts.find(({ number }) => number === side.attempt)?.artifacts.find(({ name }) => name === side.artifact)
}

/** Every digest that an attempt computed of an artifact. */
function digestsOf({ sha256, written, oci }: Artifact): readonly Sha256[] {
  return [sha256, written.sha256, ...(oci === null ? [] : [oci.manifest])]
}

function contradiction(what: string): Failure {
  return new Failure({
    code: 'report-contradicts-itself',
    message: `the report cannot be attested: ${what}`,
    hint: 'give the report as bitwitness verify wrote it; nothing is signed that its own evidence does not bear out',
  })
}
