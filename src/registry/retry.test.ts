import { describe, expect, it } from 'vitest'
import { backoff, patience } from './retry.ts'

const pace = { now: () => Date.parse('2026-11-24T10:00:00Z') }

describe('waiting', () => {
  it('doubles, up to a bound, and is spread by chance', () => {
    expect([1, 2, 3, 4, 5, 6, 7].map((made) => backoff(made, { random: () => 0 }))).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000])
    expect(backoff(1, { random: () => 0.5 })).toBe(750)
  })

  it.each([
    ['0', { ms: 0, longer: false }],
    ['30', { ms: 30_000, longer: false }],
    ['61', { ms: 61_000, longer: true }],
    ['Tue, 24 Nov 2026 10:00:20 GMT', { ms: 20_000, longer: false }],
    ['Tue, 24 Nov 2026 09:00:00 GMT', { ms: 0, longer: false }],
    ['999999999', { ms: 999_999_999_000, longer: true }],
    ['-5x', null],
    ['soon', null],
    ['9'.repeat(100), null],
    [undefined, null],
  ])('is as long as a registry asks by %s', (header, expected) => {
    expect(patience(header, pace)).toEqual(expected)
  })
})
