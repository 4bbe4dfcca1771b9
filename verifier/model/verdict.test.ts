import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Attempt, attemptWithoutRun, Outcome } from './attempt.ts'
import type { Claim } from './claim.ts'
import type { Comparison } from './comparison.ts'
import { Sha256 } from './digest.ts'
import type { Finding } from './finding.ts'
import { decideCheck, decideVerification, type Evidence } from './verdict.ts'

const digest = (digit: string): Sha256 => Sha256.parse(digit.repeat(64))
const claim: Claim = { kind: 'file', name: null, sha256: digest('a'), location: null }

function attempt(number: number, outcome: Outcome, limit: Attempt['limit'] = null): Attempt {
  const reason = outcome === 'built' ? null : { code: `${outcome}-code`, message: `attempt ${number} said ${outcome}`, data: {} }
  return { ...attemptWithoutRun({ number, mode: 'replay', outcome, reason }), limit }
}

function compared(change: Partial<Comparison> & { claim: number | null; of: number; with?: number }): Comparison {
  const { of, with: other, ...rest } = change
  return {
    left: { attempt: of, artifact: 'image.tar', sha256: digest('a') },
    right: { attempt: other ?? null, artifact: 'image.tar', sha256: digest('a') },
    result: 'equal',
    tier: 'bit-exact',
    transformations: [],
    reason: null,
    ...rest,
  }
}

const refusal: Finding = {
  rule: 'apt-keyring',
  severity: 'refuse',
  path: null,
  line: null,
  message: 'brings its own keys',
  evidence: [],
  remedy: 'remove them',
}
const equalTwice = {
  recipeFindings: [],
  attempts: [attempt(1, 'built'), attempt(2, 'built')],
  comparisons: [compared({ claim: 0, of: 1 }), compared({ claim: 0, of: 2 }), compared({ claim: null, of: 1, with: 2 })],
  claims: [claim],
} satisfies Evidence

describe('decideVerification', () => {
  it('says reproduced, bit-exact, when every attempt equals the claim and the other attempts', () => {
    expect(decideVerification(equalTwice)).toEqual({ verdict: 'reproduced', tier: 'bit-exact', reasons: [] })
  })

  it('names the transformations when a claim holds only at content-equal', () => {
    const comparisons = equalTwice.comparisons.map((one) =>
      one.claim === 0
        ? { ...one, tier: 'content-equal' as const, transformations: ['tar-member-order' as const, 'compression' as const] }
        : one,
    )
    expect(decideVerification({ ...equalTwice, comparisons })).toEqual({
      verdict: 'reproduced',
      tier: 'content-equal',
      reasons: [{ code: 'content-equal', message: `file sha256:${claim.sha256} is equal after: tar-member-order, compression` }],
    })
  })

  it('takes the weakest tier of several claims', () => {
    const second: Comparison[] = [1, 2].map((of) => compared({ claim: 1, of, tier: 'content-equal' }))
    expect(decideVerification({ ...equalTwice, claims: [claim, claim], comparisons: [...equalTwice.comparisons, ...second] }).tier).toBe(
      'content-equal',
    )
  })

  it.each([
    ['a claim differs from both attempts', { comparisons: differing(0) }, 'mismatch', 'claim-different'],
    ['a claimed artifact was not built', { comparisons: differing(0, 'missing') }, 'mismatch', 'claim-missing'],
    [
      'one of two claims was compared with one attempt only',
      { claims: [claim, claim], comparisons: [...equalTwice.comparisons, compared({ claim: 1, of: 1 })] },
      'mismatch',
      'claim-not-compared',
    ],
    ['the attempts differ', { comparisons: differing(null) }, 'nondeterministic', 'attempts-differ'],
    [
      'the attempts are equal only after a transformation',
      { comparisons: equalTwice.comparisons.map((one) => (one.claim === null ? { ...one, tier: 'content-equal' as const } : one)) },
      'nondeterministic',
      'attempts-differ',
    ],
    ['the attempts cannot be compared', { comparisons: differing(null, 'not-comparable') }, 'undecided', 'attempts-not-comparable'],
    ['the attempts were not compared', { comparisons: equalTwice.comparisons.slice(0, 2) }, 'undecided', 'attempts-not-compared'],
    [
      'a third attempt was compared with no other',
      { attempts: [...equalTwice.attempts, attempt(3, 'built')], comparisons: [...equalTwice.comparisons, compared({ claim: 0, of: 3 })] },
      'undecided',
      'attempts-not-compared',
    ],
    [
      'one was built and another failed',
      { attempts: [attempt(1, 'built'), attempt(2, 'build-failed')] },
      'nondeterministic',
      'build-failed-code',
    ],
    [
      'one was built and another hit a limit',
      { attempts: [attempt(1, 'built'), attempt(2, 'limit', 'time')] },
      'nondeterministic',
      'limit-time',
    ],
    ['all failed', { attempts: [attempt(1, 'build-failed'), attempt(2, 'build-failed')] }, 'build-failed', 'build-failed-code'],
    [
      'memory ran out each time',
      { attempts: [attempt(1, 'limit', 'memory'), attempt(2, 'limit', 'memory')] },
      'build-failed',
      'limit-memory',
    ],
    ['an input is gone', { attempts: [attempt(1, 'built'), attempt(2, 'input-unavailable')] }, 'undecided', 'input-unavailable-code'],
    ['an input differs from its lock', { attempts: [attempt(1, 'input-differs')] }, 'undecided', 'input-differs-code'],
    ['the machine failed', { attempts: [attempt(1, 'build-failed'), attempt(2, 'infrastructure')] }, 'undecided', 'infrastructure-code'],
    ['an attempt was refused', { attempts: [attempt(1, 'infrastructure'), attempt(2, 'refused')] }, 'refused', 'refused-code'],
    ['a rule of the recipe refuses', { recipeFindings: [refusal] }, 'refused', 'apt-keyring'],
    ['nothing was built', { attempts: [], comparisons: [] }, 'undecided', 'attempts-too-few'],
    ['nothing was claimed', { claims: [] }, 'undecided', 'claim-missing'],
    ['it was cancelled', { attempts: [attempt(1, 'built'), attempt(2, 'cancelled')] }, null, undefined],
  ] as const)('when %s', (_, change, verdict, code) => {
    const decision = decideVerification({ ...equalTwice, ...change } as Evidence)
    expect([decision.verdict, decision.tier, decision.reasons[0]?.code]).toEqual([verdict, null, code])
  })

  function differing(of: number | null, result: Comparison['result'] = 'different'): Comparison[] {
    return equalTwice.comparisons.map((one) => (one.claim === of ? { ...one, result, tier: null } : one))
  }
})

const anyAttempts = fc
  .array(fc.constantFrom(...Outcome.options, 'built' as const, 'built' as const, 'built' as const), { maxLength: 4 })
  .map((outcomes) => outcomes.map((outcome, index) => attempt(index + 1, outcome)))
const anyComparison = fc
  .record({
    claim: fc.constantFrom(null, null, 0, 1),
    of: fc.integer({ min: 1, max: 4 }),
    with: fc.integer({ min: 1, max: 4 }),
    result: fc.constantFrom(
      'equal' as const,
      'equal' as const,
      'equal' as const,
      'different' as const,
      'missing' as const,
      'not-comparable' as const,
    ),
    tier: fc.constantFrom('bit-exact' as const, 'bit-exact' as const, 'content-equal' as const, null),
  })
  .map(compared)
const arbitraryEvidence: fc.Arbitrary<Evidence> = fc.record({
  recipeFindings: fc.array(fc.constantFrom(refusal, { ...refusal, severity: 'warn' as const }), { maxLength: 1 }),
  attempts: anyAttempts,
  comparisons: fc.array(anyComparison, { maxLength: 14 }),
  claims: fc.array(fc.constant(claim), { maxLength: 2 }),
})
/** Complete and equal, then at most a comparison dropped and one added: the edge on which `reproduced` is decided. */
const nearlyReproduced: fc.Arbitrary<Evidence> = fc
  .record({
    attempts: fc.integer({ min: 1, max: 3 }),
    claims: fc.integer({ min: 1, max: 2 }),
    drop: fc.option(fc.nat({ max: 12 })),
    add: fc.option(anyComparison),
  })
  .map(({ attempts, claims, drop, add }) => {
    const numbers = Array.from({ length: attempts }, (_, index) => index + 1)
    const against = numbers.flatMap((of) => Array.from({ length: claims }, (_, index) => compared({ claim: index, of })))
    const pairs = numbers.slice(1).map((number) => compared({ claim: null, of: number - 1, with: number }))
    const kept = [...against, ...pairs].filter((_, index) => index !== drop)
    return {
      recipeFindings: [],
      attempts: numbers.map((number) => attempt(number, 'built')),
      comparisons: add === null ? kept : [...kept, add],
      claims: Array.from({ length: claims }, () => claim),
    }
  })
const anyEvidence = fc.oneof(arbitraryEvidence, nearlyReproduced)

describe('whatever the evidence', () => {
  it('says reproduced only if every attempt was built, equals every claim and is joined to the others by bit-exact equality', () => {
    let reproduced = 0
    fc.assert(
      fc.property(anyEvidence, (evidence) => {
        const decision = decideVerification(evidence)
        if (decision.verdict !== 'reproduced') return
        reproduced += 1
        expect(evidence.claims.length).toBeGreaterThan(0)
        expect(evidence.attempts.length).toBeGreaterThan(0)
        for (const one of evidence.attempts) {
          expect(one.outcome).toBe('built')
          expect(joined(evidence, one.number)).toBe(true)
          for (const index of evidence.claims.keys())
            expect(
              evidence.comparisons.some(
                (c) => c.claim === index && c.left.attempt === one.number && c.result === 'equal' && c.tier !== null,
              ),
            ).toBe(true)
        }
        expect(evidence.recipeFindings.some((finding) => finding.severity === 'refuse')).toBe(false)
        for (const c of evidence.comparisons) {
          if (c.claim === null) expect([c.result, c.tier]).toEqual(['equal', 'bit-exact'])
          else if (c.claim < evidence.claims.length) expect(c.result).toBe('equal')
          if (decision.tier === 'bit-exact' && c.claim !== null && c.claim < evidence.claims.length) expect(c.tier).toBe('bit-exact')
        }
      }),
      { numRuns: 3000 },
    )
    // A property that never meets its case proves nothing.
    expect(reproduced).toBeGreaterThan(10)
  })

  it('lets a refusal by a rule win over everything else', () => {
    fc.assert(fc.property(anyEvidence, (evidence) => decideVerification({ ...evidence, recipeFindings: [refusal] }).verdict === 'refused'))
    fc.assert(fc.property(anyEvidence, (evidence) => decideCheck({ ...evidence, recipeFindings: [refusal] }).verdict === 'refused'))
  })

  it('gives no verdict to what was cancelled, unless a rule refused it', () => {
    fc.assert(
      fc.property(anyEvidence, ({ attempts, ...evidence }) => {
        const decision = decideVerification({ ...evidence, attempts: [...attempts, attempt(9, 'cancelled')], recipeFindings: [] })
        expect(decision.verdict).toBeNull()
      }),
    )
  })

  it('never turns trouble of our own into a word about the image', () => {
    fc.assert(
      fc.property(
        anyEvidence,
        fc.constantFrom('infrastructure' as const, 'input-unavailable' as const, 'input-differs' as const),
        (evidence, outcome) => {
          const attempts = [
            ...evidence.attempts.filter((one) => one.outcome !== 'cancelled' && one.outcome !== 'refused'),
            attempt(9, outcome),
          ]
          expect(decideVerification({ ...evidence, attempts, recipeFindings: [] }).verdict).toBe('undecided')
        },
      ),
    )
  })

  it('does not depend on the order of attempts and comparisons', () => {
    fc.assert(
      fc.property(anyEvidence, (evidence) => {
        const reversed = { ...evidence, attempts: evidence.attempts.toReversed(), comparisons: evidence.comparisons.toReversed() }
        const [one, other] = [decideVerification(evidence), decideVerification(reversed)]
        expect([other.verdict, other.tier]).toEqual([one.verdict, one.tier])
      }),
    )
  })

  it('has a tier exactly when it is reproduced, and a reason for every other verdict', () => {
    fc.assert(
      fc.property(anyEvidence, (evidence) => {
        const decision = decideVerification(evidence)
        expect(decision.tier !== null).toBe(decision.verdict === 'reproduced')
        if (decision.verdict !== 'reproduced' && decision.verdict !== null) expect(decision.reasons.length).toBeGreaterThan(0)
      }),
    )
  })
})

/** Whether equal pairs lead from an attempt to the first one: by search, where the code under test spreads from the first. */
function joined({ attempts, comparisons }: Evidence, number: number, seen: readonly number[] = []): boolean {
  if (number === attempts[0]?.number) return true
  return comparisons.some(({ claim: index, left, right }) => {
    if (index !== null || (left.attempt !== number && right?.attempt !== number)) return false
    const other = left.attempt === number ? right?.attempt : left.attempt
    return (
      typeof other === 'number' &&
      !seen.includes(other) &&
      joined({ attempts, comparisons, claims: [], recipeFindings: [] }, other, [...seen, number])
    )
  })
}

describe('decideCheck', () => {
  it('says repeatable when two attempts agree bit for bit', () => {
    expect(decideCheck(equalTwice)).toEqual({ verdict: 'repeatable', tier: 'bit-exact', reasons: [] })
  })

  it('is undecided after a single attempt', () => {
    expect(decideCheck({ ...equalTwice, attempts: [attempt(1, 'built')], comparisons: [] })).toMatchObject({
      verdict: 'undecided',
      reasons: [{ code: 'attempts-too-few' }],
    })
  })

  it('agrees with the verification of the same attempts wherever no claim is asked', () => {
    fc.assert(
      fc.property(anyEvidence, (evidence) => {
        const [check, verification] = [decideCheck(evidence).verdict, decideVerification(evidence).verdict]
        if (verification !== 'reproduced' && verification !== 'mismatch' && evidence.claims.length > 0) expect(check).toBe(verification)
      }),
    )
  })
})
