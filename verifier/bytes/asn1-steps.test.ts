import { describe, expect, it } from 'vitest'
import { isSoonParsed } from './asn1-steps.ts'
import { element, overlapping } from './testing/overlapping.ts'

describe('bytes that are parsed soon', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no element', Buffer.from('no certificate')],
    ['half of an element', element(0x30, Buffer.alloc(100)).subarray(0, 50)],
    ['a text of any length', element(0x0c, Buffer.alloc(60_000, 4))],
    ['an octet string of something else', element(0x04, Buffer.from('30ff04ff', 'hex'))],
    ['elements in elements', Array.from({ length: 300 }).reduce<Buffer>((inner) => element(0x30, inner), Buffer.alloc(0))],
    ['a thousand elements', element(0x30, Buffer.alloc(2000, Buffer.of(5, 0)))],
    ['a length of no known form', Buffer.of(0x30, 0xff, 1, 2, 3)],
  ])('are %s', (_, bytes) => {
    expect(isSoonParsed(bytes)).toBe(true)
  })

  it.each([
    ['octet strings that reach beyond the one they stand in', overlapping()],
    ['such in an element', element(0x30, element(0xa0, overlapping()))],
    ['more elements than anything has', element(0x30, Buffer.alloc(10_000, Buffer.of(5, 0)))],
    ['one chain of octet strings after the other', element(0x04, Buffer.alloc(16_000, 4))],
  ])('are not %s', (_, bytes) => {
    expect(isSoonParsed(bytes)).toBe(false)
  })
})
