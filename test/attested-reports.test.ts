import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { statementsOf } from '../attestations/statement/statements.ts'
import { honestReport, judged } from '../attestations/testing/arbitrary-report.ts'
import { hold } from '../attestations/testing/hold.ts'
import { SERVICE } from '../attestations/testing/reports.ts'
import type { Claimed } from '../verifier/compare/claimed.ts'
import { compareAttempts, compareWithClaims } from '../verifier/compare/judge.ts'
import { judgeClaimed } from '../verifier/compare/judge-claimed.ts'
import type { Comparison } from '../verifier/model/comparison.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { Failure } from '../verifier/model/failure.ts'
import type { VerificationReport } from '../verifier/model/report.ts'

/** With the comparisons that the verifier itself makes. */
const honest: fc.Arbitrary<VerificationReport> = honestReport.map((report) => {
  const { attempts, claims } = report
  return judged({ ...report, comparisons: [...compareAttempts(attempts), ...compareWithClaims(claims, attempts)] })
})

/** Claimed bytes that are those of an artifact once the order of their members is undone. */
function reordered(sha256: Sha256, built: Sha256): Claimed {
  const [written, canonical] = [sha256, built].map((one) => ({ sha256: one, size: 1 }))
  if (written === undefined || canonical === undefined) throw new Error('two digests give two sides')
  const facts = { written, canonical, entries: 1, transformations: ['tar-member-order'] as const, treeManifest: built }
  return { kind: 'file', ofCompressed: false, file: { sha256, size: 1, compression: 'none', canonical: facts, refusal: null } }
}

const codeOf = (report: VerificationReport): string | undefined => {
  try {
    statementsOf(report, SERVICE)
    return undefined
  } catch (error) {
    if (error instanceof Failure) return error.code
    throw error
  }
}

describe('what the verifier finds', () => {
  it('is attested, whatever it is, unless it is undecided or was cancelled', () => {
    fc.assert(
      fc.property(honest, (report) => {
        const silent = report.verdict === null || report.verdict === 'undecided'
        expect(codeOf(report)).toBe(silent ? 'verdict-not-attestable' : undefined)
      }),
      { numRuns: 2000 },
    )
  })

  it('is attested too where claimed bytes were opened and are equal in canonical form', () => {
    let equal = 0
    fc.assert(
      fc.property(honest, (report) => {
        const comparisons = report.comparisons.map((one): Comparison => {
          const attempt = report.attempts.find(({ number }) => number === one.left.attempt)
          const artifact = attempt?.artifacts.find(({ name }) => name === one.left.artifact)
          const claim = report.claims[one.claim ?? -1]
          if (one.result !== 'different' || one.claim === null || claim?.kind !== 'file' || attempt === undefined || artifact === undefined)
            return one
          const claimed = reordered(claim.sha256, artifact.sha256)
          return judgeClaimed(claimed, { claim, index: one.claim, attempt: attempt.number, artifact, image: null })
        })
        const opened = judged({ ...report, comparisons })
        if (opened.tier === 'content-equal') equal += 1
        const silent = opened.verdict === null || opened.verdict === 'undecided'
        expect(codeOf(opened)).toBe(silent ? 'verdict-not-attestable' : undefined)
      }),
      { numRuns: 2000 },
    )
    expect(equal).toBeGreaterThan(20)
  })

  it('is what the tests of statements take an honest verifier to find', () => {
    const key = ({ claim, left, right, result, tier }: Comparison): string =>
      JSON.stringify([claim, left.attempt, right?.attempt ?? null, left.artifact, result, tier])
    fc.assert(
      fc.property(honest, ({ claims, attempts, comparisons }) => {
        expect(hold(claims, attempts).map(key).toSorted()).toEqual(comparisons.map(key).toSorted())
      }),
      { numRuns: 1000 },
    )
  })
})
