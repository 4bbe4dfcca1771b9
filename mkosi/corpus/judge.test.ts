import { expect, test } from 'vitest'
import type { Attempt } from '../../verifier/model/attempt.ts'
import type { CheckReport } from '../../verifier/model/report.ts'
import type { Expected } from './expected.ts'
import { judge } from './judge.ts'
import { runCorpus } from './run.ts'
import { totalsText } from './table.ts'

const repeats: Expected = {
  label: 'a-case',
  kind: 'reproducible',
  why: 'a case to judge by',
  verdict: { check: 'repeatable' },
  outcome: 'built',
  reason: null,
  limit: null,
  rules: [],
  findings: [],
  format: 'tar',
  costs: 0,
}
const forks: Expected = { ...repeats, kind: 'hostile', verdict: { check: 'build-failed' }, outcome: 'limit', limit: 'processes' }
const date: Expected = { ...repeats, kind: 'fault', shows: 'here', verdict: { check: 'nondeterministic' }, findings: ['build-date'] }
const escapes: Expected = { ...repeats, kind: 'hostile', verdict: { check: 'refused' }, outcome: null, rules: ['path-outside'] }

type Seen = { verdict: CheckReport['verdict']; attempts?: Partial<Attempt>[]; rules?: [string, 'refuse' | 'warn'][]; findings?: string[] }

function report({ verdict, attempts = [{}, {}], rules = [], findings = [] }: Seen): CheckReport {
  const finding = (rule: string, severity: 'refuse' | 'warn') => ({ rule, severity })
  const built = { outcome: 'built', limit: null, reason: null, artifacts: [{ format: 'tar' }] }
  // The judge reads only these; a whole report would hide what it reads.
  return {
    verdict,
    reasons: [],
    attempts: attempts.map((attempt, index) => ({ number: index + 1, ...built, ...attempt })),
    recipeFindings: rules.map(([rule, severity]) => finding(rule, severity)),
    findings: findings.map((rule) => finding(rule, 'warn')),
  } as unknown as CheckReport
}

test('a report that says what the label says is no mistake', () => {
  for (const [expected, seen] of [
    [repeats, { verdict: 'repeatable' }],
    [repeats, { verdict: 'repeatable', rules: [['opaque-input', 'warn']] }],
    [date, { verdict: 'nondeterministic', findings: ['build-date', 'mtime'] }],
    [forks, { verdict: 'build-failed', attempts: [{ outcome: 'limit', limit: 'processes', artifacts: [] }] }],
    [escapes, { verdict: 'refused', attempts: [], rules: [['path-outside', 'refuse']] }],
  ] as const satisfies [Expected, Seen][])
    expect(judge(expected, report(seen))).toEqual({ label: 'a-case', mistake: null, complaints: [] })
})

test('calling repeatable what is not is a false accept', () => {
  for (const expected of [date, forks, escapes]) expect(judge(expected, report({ verdict: 'repeatable' })).mistake).toBe('false-accept')
})

test('calling anything else what is repeatable is a false reject', () => {
  for (const verdict of ['nondeterministic', 'build-failed', 'refused', 'undecided', null] as const)
    expect(judge(repeats, report({ verdict })).mistake).toBe('false-reject')
})

test.each<[string, Expected, Seen, string[]]>([
  [
    'another limit',
    forks,
    { verdict: 'build-failed', attempts: [{ outcome: 'limit', limit: 'time', artifacts: [] }] },
    ['attempt 1 hit time instead of processes'],
  ],
  [
    'a failure instead of a limit',
    forks,
    { verdict: 'build-failed', attempts: [{ outcome: 'build-failed', artifacts: [] }] },
    ['attempt 1 ended as build-failed, not limit', 'attempt 1 hit no limit instead of processes'],
  ],
  [
    'a fault that is not explained',
    date,
    { verdict: 'nondeterministic', findings: ['unexplained'] },
    ['the explain rule build-date is silent'],
  ],
  [
    'a refused recipe of which something ran',
    escapes,
    { verdict: 'refused', attempts: [{}], rules: [['path-outside', 'refuse']] },
    ['something ran of a recipe that is to be refused'],
  ],
  ['a rule too few', escapes, { verdict: 'refused', attempts: [] }, ['the recipe rule path-outside is silent']],
  [
    'a rule that refuses for something else',
    date,
    { verdict: 'nondeterministic', findings: ['build-date'], rules: [['with-network', 'refuse']] },
    ['the recipe rule with-network refuses'],
  ],
  [
    'another format',
    repeats,
    { verdict: 'repeatable', attempts: [{ artifacts: [] }, { artifacts: [] }] },
    ['attempt 1 has no tar', 'attempt 2 has no tar'],
  ],
  [
    'another reason',
    { ...forks, outcome: 'build-failed', limit: null, reason: 'output-missing' },
    {
      verdict: 'build-failed',
      attempts: [{ outcome: 'build-failed', artifacts: [], reason: { code: 'mkosi-failed', message: '', data: {} } }],
    },
    ['attempt 1 says mkosi-failed instead of output-missing'],
  ],
])('the right verdict with %s is for a wrong reason', (_name, expected, seen, complaints) => {
  expect(judge(expected, report(seen))).toEqual({ label: 'a-case', mistake: 'wrong-reason', complaints })
})

test('a run tells each case as it ends and counts the mistakes', async () => {
  const told: string[] = []
  const cases = [repeats, date, forks].map((expected, index) => ({
    expected: { ...expected, label: `case-${index}` },
    recipe: `/${index}`,
  }))
  const checked: unknown[] = []
  const { totals } = await runCorpus(
    cases,
    async (recipe, limits) => {
      checked.push([recipe, limits])
      return report({ verdict: recipe === '/0' ? 'undecided' : 'repeatable' })
    },
    (line) => told.push(line),
  )
  expect(checked).toEqual([
    ['/0', {}],
    ['/1', {}],
    ['/2', {}],
  ])
  expect(totals).toMatchObject({ cases: 3, 'false-accept': 2, 'false-reject': 1, 'wrong-reason': 0 })
  expect(told).toHaveLength(3)
  expect(told[0]).toContain('FALSE-REJECT')
  expect(totalsText(totals)).toContain('2 false accepts, 1 false rejects')
})
