import { z } from 'zod'
import type { Attempt } from './attempt.ts'
import type { Claim } from './claim.ts'
import { type Comparison, Tier } from './comparison.ts'
import type { Finding } from './finding.ts'

export const Verdict = z.enum(['reproduced', 'mismatch', 'nondeterministic', 'build-failed', 'refused', 'undecided'])
export type Verdict = z.infer<typeof Verdict>

export const CheckVerdict = z.enum(['repeatable', 'nondeterministic', 'build-failed', 'refused', 'undecided'])
export type CheckVerdict = z.infer<typeof CheckVerdict>

/** `code` is stable: an outcome's reason, `limit-memory`, a rule's id, `claim-missing` … */
export const VerdictReason = z.strictObject({ code: z.string(), message: z.string() })
export type VerdictReason = z.infer<typeof VerdictReason>

export type Decided<V> = { readonly verdict: V; readonly tier: Tier | null; readonly reasons: readonly VerdictReason[] }
/** Cancelled verifications have no verdict. */
export type Decision<V> = Decided<V> | { readonly verdict: null; readonly tier: null; readonly reasons: readonly VerdictReason[] }

export type Evidence = {
  readonly recipeFindings: readonly Finding[]
  readonly attempts: readonly Attempt[]
  /** Claims against each attempt, and attempts against each other. */
  readonly comparisons: readonly Comparison[]
  readonly claims: readonly Claim[]
}

/** The verdict of a verification (DESIGN §2): a pure function of what was seen. */
export function decideVerification(evidence: Evidence): Decision<Verdict> {
  const early = decideAttempts(evidence)
  if (early !== undefined) return early
  if (evidence.claims.length === 0) return decided('undecided', [{ code: 'claim-missing', message: 'there is nothing to compare with' }])
  const judged = evidence.claims.map((claim, index) => judgeClaim({ claim, index, ...evidence }))
  const failed = judged.filter((one) => one.tier === null)
  if (failed.length > 0)
    return decided(
      'mismatch',
      failed.flatMap((one) => one.reasons),
    )
  const weakest = judged.some((one) => one.tier === 'content-equal') ? 'content-equal' : 'bit-exact'
  return { verdict: 'reproduced', tier: weakest, reasons: judged.flatMap((one) => one.reasons) }
}

/** The verdict of a check: attempts without a claim. One attempt proves nothing, so it is undecided. */
export function decideCheck(evidence: Omit<Evidence, 'claims'>): Decision<CheckVerdict> {
  const early = decideAttempts(evidence)
  if (early !== undefined) return early
  if (evidence.attempts.length < 2)
    return decided('undecided', [{ code: 'attempts-too-few', message: 'one attempt cannot show that a build repeats' }])
  return { verdict: 'repeatable', tier: 'bit-exact', reasons: [] }
}

type Early = 'nondeterministic' | 'build-failed' | 'refused' | 'undecided'

/** Everything that ends the matter before any claim is looked at; undefined when all attempts were built and agree. */
function decideAttempts({ recipeFindings, attempts, comparisons }: Omit<Evidence, 'claims'>): Decision<Early> | undefined {
  const refusals = recipeFindings.filter((finding) => finding.severity === 'refuse')
  if (refusals.length > 0)
    return decided(
      'refused',
      refusals.map(({ rule, message }) => ({ code: rule, message })),
    )
  if (attempts.some((attempt) => attempt.outcome === 'cancelled')) return { verdict: null, tier: null, reasons: [] }
  if (attempts.length === 0) return decided('undecided', [{ code: 'attempts-too-few', message: 'nothing was built' }])
  const refused = attempts.filter((attempt) => attempt.outcome === 'refused')
  if (refused.length > 0) return decided('refused', reasonsOf(refused))
  const unknown = attempts.filter((attempt) => ['infrastructure', 'input-unavailable', 'input-differs'].includes(attempt.outcome))
  if (unknown.length > 0) return decided('undecided', reasonsOf(unknown))
  const built = attempts.filter((attempt) => attempt.outcome === 'built')
  const failed = attempts.filter((attempt) => attempt.outcome !== 'built')
  if (built.length === 0) return decided('build-failed', reasonsOf(failed))
  if (failed.length > 0) return decided('nondeterministic', reasonsOf(failed))
  const apart = comparisons.filter((one) => one.claim === null && !(one.result === 'equal' && one.tier === 'bit-exact'))
  const incomparable = apart.filter((one) => one.result === 'not-comparable')
  if (apart.length > 0 && incomparable.length === apart.length)
    return decided(
      'undecided',
      incomparable.map((one) => ({ code: 'attempts-not-comparable', message: one.reason ?? 'the attempts cannot be compared' })),
    )
  if (apart.length > 0)
    return decided(
      'nondeterministic',
      apart.map((one) => ({ code: 'attempts-differ', message: `attempts differ in ${one.left.artifact ?? 'an artifact'}` })),
    )
  if (!allCompared(built, comparisons))
    return decided('undecided', [{ code: 'attempts-not-compared', message: 'the attempts were not compared with each other' }])
  return undefined
}

/** Whether the comparisons between attempts join all of them: an attempt that was held against no other agrees with nothing. */
function allCompared(attempts: readonly Attempt[], comparisons: readonly Comparison[]): boolean {
  const pairs = comparisons.flatMap((one) => (one.claim === null && one.right !== null ? [[one.left.attempt, one.right.attempt]] : []))
  const reached = new Set<number | null | undefined>(attempts.slice(0, 1).map((attempt) => attempt.number))
  for (let before = -1; before !== reached.size; ) {
    before = reached.size
    for (const pair of pairs) if (pair.some((number) => reached.has(number))) for (const number of pair) reached.add(number)
  }
  return attempts.every((attempt) => reached.has(attempt.number))
}

type Judged = { readonly tier: Tier | null; readonly reasons: readonly VerdictReason[] }

/** A claim holds at a tier only if it holds at that tier, or a stronger one, against every attempt. */
function judgeClaim({ claim, index, attempts, comparisons }: { claim: Claim; index: number } & Evidence): Judged {
  const against = comparisons.filter((one) => one.claim === index)
  const label = `${claim.kind} sha256:${claim.sha256}`
  const complete = attempts.every((attempt) => against.some((one) => one.left.attempt === attempt.number))
  if (!complete) return { tier: null, reasons: [{ code: 'claim-not-compared', message: `${label} was not compared with every attempt` }] }
  const unequal = against.filter((one) => one.result !== 'equal' || one.tier === null)
  if (unequal.length > 0)
    return {
      tier: null,
      reasons: unequal.map((one) => ({
        code: `claim-${one.result}`,
        message: one.reason ?? `${label} is not what attempt ${one.left.attempt} built`,
      })),
    }
  const weak = against.filter((one) => one.tier === 'content-equal')
  const transformations = [...new Set(weak.flatMap((one) => one.transformations))]
  return weak.length === 0
    ? { tier: 'bit-exact', reasons: [] }
    : { tier: 'content-equal', reasons: [{ code: 'content-equal', message: `${label} is equal after: ${transformations.join(', ')}` }] }
}

function reasonsOf(attempts: readonly Attempt[]): VerdictReason[] {
  return attempts.map((attempt) => ({
    code: attempt.limit === null ? (attempt.reason?.code ?? attempt.outcome) : `limit-${attempt.limit}`,
    message: attempt.reason?.message ?? `attempt ${attempt.number} ended as ${attempt.outcome}`,
  }))
}

function decided<V>(verdict: V, reasons: readonly VerdictReason[]): Decided<V> {
  const said = new Map(reasons.map((reason) => [`${reason.code}\0${reason.message}`, reason]))
  return { verdict, tier: null, reasons: [...said.values()] }
}
