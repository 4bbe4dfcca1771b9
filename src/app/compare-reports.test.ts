import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digest, honestReport } from '../../attestations/testing/arbitrary-report.ts'
import { goldenReport, nondeterministicReport } from '../../attestations/testing/reports.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import { compareReports } from './compare-reports.ts'

const spoke = ({ verdict }: VerificationReport): boolean => verdict !== null && verdict !== 'undecided'

describe('a rebuild', () => {
  it('agrees with its own report, whatever that is', () => {
    fc.assert(
      fc.property(honestReport, (report) => {
        expect(compareReports(report, report)).toEqual({ agreement: spoke(report) ? 'agrees' : 'unknown', differences: [] })
      }),
    )
  })

  it('disagrees for a reason that it names, and that turns around with the sides', () => {
    fc.assert(
      fc.property(honestReport.filter(spoke), honestReport.filter(spoke), (one, other) => {
        const [there, back] = [compareReports(one, other), compareReports(other, one)]
        expect(there.agreement).toBe(there.differences.length === 0 ? 'agrees' : 'disagrees')
        expect(there.differences.some(({ what }) => what === 'verdict')).toBe(one.verdict !== other.verdict)
        expect(back.differences).toEqual(there.differences.map(({ proof, here, ...what }) => ({ ...what, proof: here, here: proof })))
      }),
    )
  })

  it('that came to nothing says nothing of any proof', () => {
    const unknown = { agreement: 'unknown', differences: [] }
    expect(compareReports(goldenReport('reproduced'), goldenReport('cancelled'))).toEqual(unknown)
    expect(compareReports(goldenReport('reproduced'), { ...goldenReport('reproduced'), verdict: 'undecided', tier: null })).toEqual(unknown)
  })

  it.each<[string, VerificationReport, VerificationReport, string[]]>([
    ['another verdict', goldenReport('reproduced'), goldenReport('build-failed'), ['verdict', 'tier']],
    ['another tier', goldenReport('reproduced'), { ...goldenReport('reproduced'), tier: 'content-equal' }, ['tier']],
    [
      'another tree',
      goldenReport('reproduced'),
      { ...goldenReport('reproduced'), source: { ...goldenReport('reproduced').source, treeDigest: digest('0') } },
      ['source'],
    ],
    [
      'another commit',
      goldenReport('reproduced'),
      {
        ...goldenReport('reproduced'),
        source: { ...goldenReport('reproduced').source, commit: '0'.repeat(40) } as VerificationReport['source'],
      },
      ['source'],
    ],
    [
      'other bytes at the same verdict',
      goldenReport('mismatch'),
      yielding(goldenReport('mismatch'), 'other.tar'),
      ['artifact', 'image', 'artifact', 'image'],
    ],
  ])('differs by %s', (_, proof, here, what) => {
    expect(compareReports(proof, here)).toMatchObject({ agreement: 'disagrees', differences: what.map((one) => ({ what: one })) })
  })

  it('that is as nondeterministic as the proof says agrees, whatever bytes it got', () => {
    const report = nondeterministicReport()
    expect(compareReports(report, yielding(report, 'other.tar')).agreement).toBe('agrees')
  })
})

function yielding(report: VerificationReport, name: string): VerificationReport {
  return {
    ...report,
    attempts: report.attempts.map((attempt) => ({ ...attempt, artifacts: attempt.artifacts.map((one) => ({ ...one, name })) })),
  }
}
