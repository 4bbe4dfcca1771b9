import { describe, expect, it } from 'vitest'
import { objectionsTo, type RecordedTest, summarise } from './suite-summary.ts'

const test = (name: string, state: RecordedTest['state'], note: string | null = null): RecordedTest => ({ name, state, note })
const ended = { suite: 'docker', exitCode: 0, overBudget: false, budgetSeconds: 10, mustRun: false }

describe('summarise', () => {
  it('ends with the sums of all suites alone in the last line, after failures and the reasons of skips', () => {
    const summary = summarise([
      {
        suite: 'unit',
        tests: [test('a', 'passed'), test('b', 'failed'), test('c', 'skipped', 'no xz program')],
        objections: [],
        seconds: 1.25,
      },
      {
        suite: 'docker',
        tests: [test('d', 'passed'), test('e', 'skipped')],
        objections: ['docker skipped tests, and it may not'],
        seconds: 2,
      },
    ])
    expect(summary).toEqual({
      passed: 2,
      failed: 2,
      skipped: 2,
      lines: [
        'unit: 1 passed, 1 failed, 1 skipped in 1.3 s',
        '  failed: b',
        '  skipped: c: no xz program',
        'docker: 1 passed, 1 failed, 1 skipped in 2.0 s',
        '  failed: docker skipped tests, and it may not',
        '  skipped: e: no reason given',
        '2 passed, 2 failed, 2 skipped',
      ],
    })
  })

  it('counts a suite that was stopped as one failure', () => {
    expect(summarise([{ suite: 'unit', tests: [], objections: ['took too long'], seconds: 9 }]).lines.at(-1)).toBe(
      '0 passed, 1 failed, 0 skipped',
    )
  })
})

describe('objectionsTo', () => {
  it('has none for a suite whose tests passed', () => {
    expect(objectionsTo({ ...ended, tests: [test('a', 'passed')] })).toEqual([])
  })

  it('lets failed tests speak for themselves', () => {
    expect(objectionsTo({ ...ended, exitCode: 1, tests: [test('a', 'failed')] })).toEqual([])
  })

  it.each([
    ['an exit code that no test explains', { exitCode: 1, tests: [test('a', 'passed')] }],
    ['a death by signal', { exitCode: null, tests: [test('a', 'passed')] }],
    ['a record that is missing', { tests: null }],
    ['a suite without tests', { tests: [] }],
    ['a budget exceeded, whatever passed before', { overBudget: true, tests: [test('a', 'passed')] }],
    ['a skip where nothing may be skipped', { mustRun: true, tests: [test('a', 'passed'), test('b', 'skipped', 'no engine')] }],
  ])('objects to %s', (_, change) => {
    expect(objectionsTo({ ...ended, ...change })).toHaveLength(1)
  })
})
