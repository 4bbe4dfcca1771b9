import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { reproducedOf } from '../statement/reproduced.ts'
import type { Statement } from '../statement/statement.ts'
import { statementsOf } from '../statement/statements.ts'
import { honestReport, judged } from '../testing/arbitrary-report.ts'
import { hold } from '../testing/hold.ts'
import { goldenReport, LAPTOP } from '../testing/reports.ts'
import { readAgreeing } from './predicate-agrees.ts'

/** As it is after it was written and read. */
const read = (statement: Statement) => JSON.parse(JSON.stringify(statement)) as Statement<Readonly<Record<string, unknown>>>

describe('a statement', () => {
  it('of what an honest verifier saw says what its kind stands for', () => {
    const attestable = honestReport.filter(({ verdict }) => verdict !== null && verdict !== 'undecided')
    fc.assert(
      fc.property(attestable, (report) => {
        for (const statement of statementsOf(report, LAPTOP)) expect(readAgreeing(read(statement)).kind).toBe('agrees')
      }),
      { numRuns: 3000 },
    )
  })

  it('of attempts that agree on what is claimed and not on the rest is none of a reproduction, and stands', () => {
    const report = goldenReport('reproduced')
    const attempts = report.attempts.map((attempt, index) => ({
      ...attempt,
      artifacts: attempt.artifacts.flatMap((one) => [
        one,
        { ...one, name: 'other.tar', sha256: report.attempts[index]?.log ?? one.sha256 },
      ]),
    }))
    const [first, second] = attempts
    if (first === undefined || second === undefined) throw new Error('the golden report has two attempts')
    const apart = [
      first,
      { ...second, artifacts: second.artifacts.map((one) => (one.name === 'other.tar' ? { ...one, sha256: one.written.sha256 } : one)) },
    ]
    const seen = judged({ ...report, attempts: apart, comparisons: hold(report.claims, apart) })
    expect(seen.verdict).toBe('nondeterministic')
    const [statement] = statementsOf(seen, LAPTOP)
    if (statement === undefined) throw new Error('it has a statement')
    expect(readAgreeing(read(statement)).kind).toBe('agrees')
    const same = { ...statement, predicate: { ...(statement.predicate as object), verdict: 'mismatch' } }
    expect(readAgreeing(read(same))).toEqual({ kind: 'rejected', code: 'predicate-contradicts-type' })
  })

  const other = 'b'.repeat(64)
  const [attempt, observation] = ['attempts[1]', 'claims[0].observed[1]'] as const
  it.each<[string, string, unknown]>([
    ['names a reason why it is not better', 'reasons', ['claim-different']],
    ['has attempts of one number', `${attempt}.number`, 1],
    ['has an attempt without artifacts', `${attempt}.artifacts`, []],
    ['has attempts that built different bytes', `${attempt}.artifacts[0].sha256`, other],
    ['has attempts that built different images', `${attempt}.artifacts[0].ociManifest`, other],
    ['has an artifact that cannot be compared', `${attempt}.artifacts[0].comparable`, false],
    ['has an attempt that ran in another builder', `${attempt}.builder`, other],
    ['has an attempt that does not say what it ran in', `${attempt}.sandbox`, null],
    ['has an attempt of another lock', `${attempt}.lock`, other],
    ['observed an attempt that is not there', `${observation}.attempt`, 3],
    ['observed no artifact', `${observation}.artifact`, null],
    ['observed an artifact that the attempt has not', `${observation}.artifact`, 'other.tar'],
  ])('that is reproduced and %s contradicts itself', (_, place, value) => {
    const statement = read(reproducedOf(goldenReport('reproduced'), LAPTOP))
    expect(readAgreeing(statement).kind).toBe('agrees')
    const keys = place.split(/[.[\]]+/).filter((key) => key !== '')
    const inner = keys.slice(0, -1).reduce<unknown>((held, key) => (held as Record<string, unknown>)[key], statement.predicate)
    Object.assign(inner as object, { [keys.at(-1) ?? '']: value })
    expect(readAgreeing(statement)).toEqual({ kind: 'rejected', code: 'predicate-contradicts-type' })
  })
})
