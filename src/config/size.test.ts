import fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatSize, parseDuration, parseSize } from './size.ts'

it.each([
  ['1', 1],
  ['4K', 4096],
  ['3T', 3 * 2 ** 40],
  ['0', undefined],
  ['1.5G', undefined],
  ['1g', undefined],
  ['1GB', undefined],
  ['', undefined],
  ['999999999999999T', undefined],
])('reads the size %j as %j', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

it.each([
  ['90', 90],
  ['90s', 90],
  ['2m', 120],
  ['1h', 3600],
  ['1d', undefined],
  ['0m', undefined],
  ['', undefined],
])('reads the duration %j as %j', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds)
})

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [1536, '1.5 KiB'],
  [413532160, '394 MiB'],
  [2 ** 43, '8 TiB'],
])('writes %d bytes as %s', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text)
})

it('writes every size in a few characters', () => {
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => /^\d{1,4}(\.\d)? ([KMGT]i)?B$/.test(formatSize(Math.min(bytes, 2 ** 50 - 1)))))
})
