import { expect, it } from 'vitest'
import { parseSha256, withPrefix } from './digest.ts'

const hex = '0123456789abcdef'.repeat(4)

it('reads a digest with and without its prefix', () => {
  expect(parseSha256(`sha256:${hex}`)).toBe(hex)
  expect(parseSha256(hex)).toBe(hex)
  expect(withPrefix(parseSha256(hex))).toBe(`sha256:${hex}`)
})

it.each([
  ['capitals, which are never folded', hex.toUpperCase()],
  ['a prefix in capitals', `SHA256:${hex}`],
  ['a digit too few', hex.slice(1)],
  ['a digit too many', `${hex}0`],
  ['a line break at the end', `${hex}\n`],
  ['space before it', ` ${hex}`],
  ['two prefixes', `sha256:sha256:${hex}`],
  ['another algorithm', `sha512:${hex}`],
  ['nothing', ''],
])('refuses %s', (_, text) => {
  expect(() => parseSha256(text)).toThrow(expect.objectContaining({ code: 'digest-malformed' }))
})
