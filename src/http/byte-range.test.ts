import fc from 'fast-check'
import { expect, it } from 'vitest'
import { byteRange, bytesWithin } from './byte-range.ts'

it.each([
  ['bytes=0-0', { from: 0, to: 0 }],
  ['bytes=5-', { from: 5, to: 9 }],
  ['bytes=5-99', { from: 5, to: 9 }],
  ['bytes=-3', { from: 7, to: 9 }],
  ['bytes=-99', { from: 0, to: 9 }],
])('of ten bytes %s is %j', (header, range) => {
  expect(byteRange(header, 10)).toEqual(range)
})

it.each([
  undefined,
  '',
  'bytes=',
  'bytes=-',
  'bytes=a-b',
  'bytes=5-2',
  'bytes=0-1,3-4',
  'bytes 0-1',
  'items=0-1',
  'bytes=1.5-2',
  'bytes=-1-2',
])('of ten bytes %s is all of them', (header) => {
  expect(byteRange(header, 10)).toBeNull()
})

it.each([
  ['bytes=10-', 10],
  ['bytes=99-100', 10],
  ['bytes=-0', 10],
  ['bytes=0-', 0],
  ['bytes=-5', 0],
])('%s of %i bytes cannot be', (header, size) => {
  expect(() => byteRange(header, size)).toThrow(expect.objectContaining({ code: 'range-unsatisfiable', data: { size } }))
})

it('gives the same bytes as a cut of the whole, however they come', async () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 20 }), { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(parts, fc.nat(100), fc.nat(100), async (chunks, a, b) => {
      const whole = Buffer.concat(chunks)
      const [from, to] = [Math.min(a, b), Math.max(a, b)]
      async function* all() {
        yield* chunks
      }
      const got = Buffer.concat(await Array.fromAsync(bytesWithin(all(), { from, to })))
      expect(got.equals(whole.subarray(from, to + 1))).toBe(true)
    }),
  )
})
