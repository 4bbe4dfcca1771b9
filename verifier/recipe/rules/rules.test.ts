import { describe, expect, test } from 'vitest'
import { Finding, type Severity } from '../../model/finding.ts'
import { readRecipe } from '../read-recipe.ts'
import { PATH_CASES } from '../testing/path-cases.ts'
import { findingsOf, QUIET, troubles } from '../testing/recipe-of.ts'
import { REFUSALS } from '../testing/refusal-cases.ts'
import type { RuleCase } from '../testing/rule-case.ts'
import { treeOf } from '../testing/tree-of.ts'
import { WARNINGS } from '../testing/warning-cases.ts'
import { RULES } from './all.ts'

const CASES: Readonly<Record<string, readonly RuleCase[]>> = { ...PATH_CASES, ...REFUSALS, ...WARNINGS }
const ORDER: readonly Severity[] = ['info', 'warn', 'refuse']

describe.each(Object.entries(CASES))('%s', (rule, cases) => {
  test.each(cases)('$name', ({ files, says, at }) => {
    const findings = findingsOf(files, rule)
    const gravest = ORDER.findLast((severity) => findings.some((finding) => finding.severity === severity)) ?? null
    expect(gravest).toBe(says)
    if (at !== undefined) expect(findings.map(({ path, line }) => [path, line])).toContainEqual(at)
    for (const finding of findings) expect(Finding.parse(finding)).toEqual(finding)
  })
})

describe('the rules', () => {
  test('have cases that they speak to and cases that they are silent about, each of them', () => {
    for (const { id, severity } of RULES) {
      const said = (CASES[id] ?? []).map(({ says }) => says)
      expect([id, said.includes(null), said.includes(severity)]).toEqual([id, true, true])
    }
    expect(Object.keys(CASES).toSorted()).toEqual(RULES.map(({ id }) => id).toSorted())
  })

  test('never say more than they announce', () => {
    for (const { files } of Object.values(CASES).flat())
      for (const finding of readRecipe(treeOf(files)).findings) {
        const announced = RULES.find(({ id }) => id === finding.rule)?.severity ?? 'info'
        expect(ORDER.indexOf(finding.severity)).toBeLessThanOrEqual(ORDER.indexOf(announced))
      }
  })

  test('are silent about a plain recipe', () => {
    expect(troubles({ 'mkosi.conf': QUIET })).toEqual([])
  })

  test('give findings sorted by file and line', () => {
    const { findings } = readRecipe(
      treeOf({
        'mkosi.conf': `${QUIET}Ssh=yes\nAutologin=yes\nPackges=x\n`,
        'mkosi.conf.d/a.conf': '[Content]\nSsh=yes\n',
        a: { link: '/etc' },
      }),
    )
    expect(findings.filter(({ severity }) => severity !== 'info').map(({ path, line, rule }) => [path, line, rule])).toEqual([
      ['a', null, 'link-outside'],
      ['mkosi.conf', 12, 'remote-access'],
      ['mkosi.conf', 13, 'remote-access'],
      ['mkosi.conf', 14, 'setting-unknown'],
      ['mkosi.conf.d/a.conf', 2, 'remote-access'],
    ])
  })

  test('keep passwords out of reports and control characters out of evidence', () => {
    const { findings } = readRecipe(treeOf({ 'mkosi.conf': `${QUIET}RootPassword=hunter2\nSsh=\x1b[31myes\n`, 'mkosi.rootpw': 'hunter3' }))
    const text = JSON.stringify(findings)
    expect(text).not.toContain('hunter')
    expect(findings.flatMap(({ evidence }) => evidence).join('')).toContain(String.raw`\x1b`)
  })

  test('say a hundred things each at most, and then how many more', () => {
    const { findings } = readRecipe(treeOf({ 'mkosi.conf': `${QUIET}${'Packges=x\n'.repeat(150)}` }))
    const unknown = findings.filter(({ rule }) => rule === 'setting-unknown')
    expect(unknown).toHaveLength(101)
    expect(unknown.map(({ message }) => message)).toContain('and 50 more of the same rule')
  })
})
