import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../verifier/model/failure.ts'
import { VerificationReport } from '../../verifier/model/report.ts'
import { decideVerification } from '../../verifier/model/verdict.ts'
import { arbitraryReport, honestReport } from '../testing/arbitrary-report.ts'
import { digestsMeant } from '../testing/hold.ts'
import { SERVICE } from '../testing/reports.ts'
import { decodeStatement } from './decode.ts'
import { encodeStatement } from './encode.ts'
import { PREDICATE_TYPE, STATEMENT_TYPE } from './predicate-types.ts'
import { provenanceOf } from './provenance.ts'
import { rebuildResultOf } from './rebuild-result.ts'
import { reproducedOf } from './reproduced.ts'
import type { Statement } from './statement.ts'
import { statementsOf } from './statements.ts'

const RUNS = { numRuns: 1500 }
const subjects = ({ subject }: Statement): string[] => subject.map(({ digest: { sha256 } }) => sha256)

/** What a maker gives, or undefined where it fails in words of ours. Anything else that is thrown is a defect. */
function tried<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}

const of = (report: VerificationReport): readonly Statement[] => tried(() => statementsOf(report, SERVICE)) ?? []

describe('for any report', () => {
  it('the reports are of every kind, so that the other properties say something', () => {
    const seen = new Map<string, number>()
    const note = (key: string): unknown => seen.set(key, (seen.get(key) ?? 0) + 1)
    for (const report of fc.sample(arbitraryReport, { numRuns: 1500, seed: 7 })) {
      expect(VerificationReport.safeParse(report).success).toBe(true)
      note(`verdict ${report.verdict} ${report.tier}`)
      for (const { predicateType } of of(report)) note(predicateType)
      if (of(report).length === 0) note('nothing')
    }
    const kinds = [
      'reproduced bit-exact',
      'reproduced content-equal',
      'mismatch null',
      'nondeterministic null',
      'build-failed null',
      'refused null',
      'undecided null',
      'null null',
    ]
    for (const kind of kinds) expect([kind, (seen.get(`verdict ${kind}`) ?? 0) > 3]).toEqual([kind, true])
    for (const type of [PREDICATE_TYPE.reproduced, PREDICATE_TYPE.rebuildResult, PREDICATE_TYPE.provenance, 'nothing'])
      expect([type, (seen.get(type) ?? 0) > 50]).toEqual([type, true])
  })

  it('an honest one is attested, whatever was found, unless it is undecided or was cancelled', () => {
    fc.assert(
      fc.property(honestReport, (report) => {
        const silent = report.verdict === null || report.verdict === 'undecided'
        expect(tried(() => statementsOf(report, SERVICE)) === undefined).toBe(silent)
      }),
      RUNS,
    )
  })

  it('no reproduced statement is made unless every attempt has every claimed digest', () => {
    fc.assert(
      fc.property(arbitraryReport, (report) => {
        const all = [...of(report), tried(() => reproducedOf(report, SERVICE))].filter(
          (one) => one?.predicateType === PREDICATE_TYPE.reproduced,
        )
        for (const statement of all) {
          expect([report.verdict, report.tier]).toEqual(['reproduced', 'bit-exact'])
          expect(report.attempts.length).toBeGreaterThan(0)
          for (const attempt of report.attempts)
            for (const claim of report.claims)
              expect(attempt.artifacts.flatMap((one) => (one.notComparable === null ? digestsMeant(claim, one) : []))).toContain(
                claim.sha256,
              )
          expect(new Set(statement === undefined ? [] : subjects(statement))).toEqual(new Set(report.claims.map(({ sha256 }) => sha256)))
        }
      }),
      RUNS,
    )
  })

  it('no provenance names a digest that the last attempt, and every other, did not compute', () => {
    fc.assert(
      fc.property(arbitraryReport, (report) => {
        const all = [...of(report), tried(() => provenanceOf(report, SERVICE))].filter(
          (one) => one?.predicateType === PREDICATE_TYPE.provenance,
        )
        for (const statement of all)
          for (const attempt of report.attempts) {
            const ours = attempt.artifacts.flatMap(({ sha256, oci }) => [sha256, ...(oci === null ? [] : [oci.manifest])])
            expect(new Set(statement === undefined ? [] : subjects(statement))).toEqual(new Set(ours))
            expect([attempt.outcome, attempt.artifacts.every(({ notComparable }) => notComparable === null)]).toEqual(['built', true])
          }
      }),
      RUNS,
    )
  })

  it('nothing is made of undecided and cancelled, or of a verdict that the evidence does not decide', () => {
    fc.assert(
      fc.property(arbitraryReport, (report) => {
        const { verdict, tier } = decideVerification(report)
        if (verdict !== null && verdict !== 'undecided' && verdict === report.verdict && tier === report.tier) return
        for (const make of [statementsOf, provenanceOf, reproducedOf, rebuildResultOf])
          expect(tried(() => make(report, SERVICE))).toBe(undefined)
      }),
      RUNS,
    )
  })

  it('a rebuild result never says bit-exact, and never stands beside a reproduced statement', () => {
    fc.assert(
      fc.property(arbitraryReport, (report) => {
        const made = of(report)
        const verdicts = made.filter(({ predicateType }) => predicateType !== PREDICATE_TYPE.provenance)
        expect(verdicts.length).toBe(made.length === 0 ? 0 : 1)
        for (const { predicateType, predicate } of verdicts)
          if (predicateType === PREDICATE_TYPE.rebuildResult) expect((predicate as { tier: unknown }).tier).not.toBe('bit-exact')
      }),
      RUNS,
    )
  })

  it('every statement is written and read again, whatever the order of keys was, with nothing but sha256 in its subjects', () => {
    fc.assert(
      fc.property(arbitraryReport, (report) => {
        const made = of(report)
        const turned = of(backwards(report) as VerificationReport)
        for (const [index, statement] of made.entries()) {
          const bytes = encodeStatement(statement)
          expect(decodeStatement(bytes)).toEqual(statement)
          expect(encodeStatement(decodeStatement(bytes))).toEqual(bytes)
          expect(encodeStatement(backwards(turned[index]) as Statement)).toEqual(bytes)
          for (const subject of statement.subject)
            expect([Object.keys(subject.digest), subject.digest.sha256.length]).toEqual([['sha256'], 64])
        }
      }),
      { numRuns: 400 },
    )
  })
})

it('a predicate of anybody is written and read again, whatever the order of keys was', () => {
  const predicate = fc
    .dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { noNullPrototype: true })
    .map((one) => JSON.parse(JSON.stringify(one)) as Record<string, unknown>)
  fc.assert(
    fc.property(predicate, (one) => {
      fc.pre(!JSON.stringify(one).includes('__proto__'))
      const statement: Statement = {
        _type: STATEMENT_TYPE,
        subject: [{ name: 'x', digest: { sha256: 'ab'.repeat(32) as never } }],
        predicateType: 'example:p/v1',
        predicate: one,
      }
      const bytes = encodeStatement(statement)
      expect(decodeStatement(bytes)).toEqual(statement)
      expect(encodeStatement(backwards(statement) as Statement)).toEqual(bytes)
    }),
  )
})

/** The same value with the keys of every object in the opposite order. */
function backwards(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(backwards)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, inner]) => [key, backwards(inner)]),
  )
}
