import { expect, it } from 'vitest'
import { Failure } from '../../verifier/model/failure.ts'
import { CheckVerdict, Verdict } from '../../verifier/model/verdict.ts'
import { exitOfFailure, exitOfVerdict } from './exit-code.ts'

it('ends with 0 only for the verdicts that say yes', () => {
  const codes = [...Verdict.options, ...CheckVerdict.options].map((verdict) => [verdict, exitOfVerdict(verdict)])
  expect(Object.fromEntries(codes)).toEqual({
    reproduced: 0,
    mismatch: 1,
    nondeterministic: 1,
    'build-failed': 1,
    refused: 1,
    undecided: 3,
    repeatable: 0,
  })
  expect(exitOfVerdict(null)).toBe(130)
})

it.each([
  ['setting-unknown', 2],
  ['claim-kind-unknown', 2],
  ['engine-unreachable', 3],
  ['file-unreadable', 2],
  ['lock-unreadable', 2],
  ['claimed-unreadable', 2],
  ['source-missing', 2],
  ['report-unwritable', 2],
  ['report-not-written', 3],
  ['compose-unread', 2],
  ['compose-exists', 2],
  ['policy-unread', 2],
  ['boot-info-unread', 2],
  ['gate-subject', 2],
  ['app-name-malformed', 2],
  ['compose-text-unwritable', 2],
  ['targets-malformed', 2],
  ['targets-unreadable', 2],
  ['target-secret-unreadable', 2],
  ['cancelled', 130],
])('ends with %s as %d', (code, exit) => {
  expect(exitOfFailure(new Failure({ code, message: '', hint: '' }))).toBe(exit)
})

it('takes anything that is not ours as unknown', () => {
  expect([exitOfFailure(new Error('x')), exitOfFailure('x'), exitOfFailure(undefined)]).toEqual([3, 3, 3])
})
