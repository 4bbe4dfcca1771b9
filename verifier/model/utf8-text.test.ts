import { expect, it } from 'vitest'
import { utf8Text } from './utf8-text.ts'

it('reads what is UTF-8, with its mark, and nothing else', () => {
  expect(utf8Text(Buffer.from('\ufeffä😀\0'))).toBe('\ufeffä😀\0')
  expect([Uint8Array.of(0xff), Uint8Array.of(0xc3), Uint8Array.of(0xed, 0xa0, 0x80)].map(utf8Text)).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})
