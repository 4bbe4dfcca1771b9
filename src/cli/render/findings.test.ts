import { expect, it } from 'vitest'
import type { Finding } from '../../../verifier/model/finding.ts'
import { findingLines } from './findings.ts'
import { paint } from './paint.ts'

const finding = (path: string, change: Partial<Finding> = {}): Finding => ({
  rule: 'opaque-input',
  severity: 'warn',
  path,
  line: null,
  message: 'taken as it is',
  evidence: [`${path.length} bytes`],
  remedy: 'build it',
  ...change,
})

it('says what one rule says of many places once, in the order of the first', () => {
  const many = Array.from({ length: 10 }, (_, index) => finding(`file-${index}`))
  expect(findingLines([...many, finding('mkosi.conf', { rule: 'no-pin', line: 3, evidence: [] })], paint(false))).toEqual([
    '  warn  opaque-input  10 places',
    '        taken as it is',
    ...Array.from({ length: 8 }, (_, index) => `          file-${index}  6 bytes`),
    '          and 2 more, which --json lists',
    '        remedy: build it',
    '  warn  no-pin  mkosi.conf:3',
    '        taken as it is',
    '        remedy: build it',
  ])
})

it('keeps apart what the same rule says differently', () => {
  expect(findingLines([finding('a'), finding('b', { message: 'something else' })], paint(false))).toHaveLength(8)
})

it('colours the severity only where colours were asked for', () => {
  expect(findingLines([finding('a', { severity: 'refuse' })], paint(true)).join('')).toContain('\u001b[31m')
  expect(findingLines([finding('a', { severity: 'refuse' })], paint(false)).join('')).not.toContain('\u001b')
})
