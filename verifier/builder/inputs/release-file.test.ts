import { expect, it } from 'vitest'
import { parseRelease } from './release-file.ts'

const HEAD = 'Suite: stable\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n'

it('reads fields without the blanks around them', () => {
  expect(parseRelease(`Codename:\t trixie forky \t\r\n${HEAD}Valid-Until:\n`, false)).toEqual({
    suite: 'stable',
    codename: 'trixie forky',
    date: '2026-07-11T10:16:37.000Z',
    validUntil: null,
    files: new Map(),
  })
})

it.each(['\r', '\u2028', '\u2029'])('takes a line with another line end in it for no field (%j)', (end) => {
  expect(parseRelease(`${HEAD}Label: a${end}b\n`, false)).toBeUndefined()
})

it('takes no longer for blanks within a line than for anything else', () => {
  const label = `a${' '.repeat(200_000)}b`
  expect(parseRelease(`${HEAD}Codename: ${label}\n`, false)?.codename).toBe(label)
}, 5000)
