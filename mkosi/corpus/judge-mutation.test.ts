import { describe, expect, it } from 'vitest'
import type { Mutation } from '../../verifier/compare/testing/mutations.ts'
import type { Explanation } from '../../verifier/model/explanation.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import { judgeMutation } from './judge-mutation.ts'

type Said = { verdict: string; tier?: string; result: string; reason?: string; transformations?: string[]; rules?: string[]; paths?: string[] }

function judged(mutation: Partial<Mutation>, said: Said) {
  const { verdict, tier = null, result, reason = null, transformations = [], rules = [], paths = [] } = said
  return judgeMutation({
    mutation: { kind: 'one', expected: 'different', paths: [], undone: [], archive: [], ...mutation },
    report: {
      verdict,
      tier,
      comparisons: [{ claim: 0, result, reason, transformations }],
      findings: rules.map((rule) => ({ rule })),
    } as unknown as VerificationReport,
    explanation: { changes: paths.map((path) => ({ path })) } as unknown as Explanation,
    firstDifference: 1500,
    starts: [0, 1024, 2048],
  })
}

const NOTHING = { falseAccept: false, unnamed: [], complaints: [] }

describe('a mutation of a tree', () => {
  const mutation = { expected: 'different' as const, paths: ['etc/a\n'] }

  it('is to be a mismatch that names the path, and only it', () => {
    expect(judged(mutation, { verdict: 'mismatch', result: 'different', paths: ['etc/a\\x0a'] })).toEqual(NOTHING)
    expect(judged(mutation, { verdict: 'mismatch', result: 'different', paths: [] })).toMatchObject({ unnamed: ['etc/a\\x0a'] })
    expect(judged(mutation, { verdict: 'mismatch', result: 'different', paths: ['etc/a\\x0a', 'etc/b'] }).complaints).toEqual([
      'etc/b is named and was not changed',
    ])
  })

  it.each(['bit-exact', 'content-equal'])('is accepted falsely at %s', (tier) => {
    const judgement = judged(mutation, { verdict: 'reproduced', tier, result: 'equal', paths: ['etc/a\\x0a'] })
    expect(judgement).toMatchObject({ falseAccept: true, complaints: [`reproduced (${tier}) instead of mismatch`, expect.any(String)] })
  })
})

describe('a mutation of how a tree is written', () => {
  const mutation = { expected: 'equal' as const, undone: ['tar-member-order' as const] }
  const said = { verdict: 'reproduced', tier: 'content-equal', result: 'equal' }

  it('is to be content-equal, with what was undone in the comparison and in the findings', () => {
    expect(judged(mutation, { ...said, transformations: ['tar-member-order'], rules: ['member-order'] })).toEqual(NOTHING)
    expect(judged(mutation, { ...said, transformations: [], rules: ['member-order'] }).unnamed).toEqual(['tar-member-order'])
    expect(judged(mutation, { ...said, transformations: ['tar-member-order'], rules: [] }).unnamed).toEqual(['tar-member-order'])
  })

  it('is accepted falsely at bit-exact', () => {
    const exact = { ...said, tier: 'bit-exact', transformations: ['tar-member-order'], rules: ['member-order'] }
    expect(judged(mutation, exact)).toMatchObject({ falseAccept: true })
  })
})

describe('a mutation that hides something', () => {
  const mutation = { expected: 'refused' as const }
  const said = { verdict: 'mismatch', result: 'not-comparable' }

  it('is to be refused by the name of the member', () => {
    expect(judged(mutation, { ...said, reason: 'tar-hidden-bytes: there are bytes (etc/a, at byte 1024)' })).toEqual(NOTHING)
  })

  it.each([
    ['another member', 'tar-hidden-bytes: there are bytes (etc/a, at byte 0)'],
    ['no member', 'tar-hidden-bytes: there are bytes'],
    ['no code', 'there are bytes (at byte 1024)'],
  ])('is unnamed where the refusal gives %s', (_what, reason) => {
    expect(judged(mutation, { ...said, reason })).toMatchObject({ unnamed: ['the member that was changed'] })
  })

  it('is accepted falsely where it is called equal', () => {
    expect(judged(mutation, { verdict: 'reproduced', tier: 'content-equal', result: 'equal' })).toMatchObject({ falseAccept: true })
  })
})
