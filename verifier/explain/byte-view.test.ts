import fc from 'fast-check'
import { expect, it } from 'vitest'
import { viewBuffer, viewPart, viewSparse } from './byte-view.ts'

it('a sparse file reads as its stretches with zeros between them, from anywhere', async () => {
  const stored = viewBuffer(Buffer.from('abcdefgh'))
  const view = viewSparse(
    stored,
    [
      { offset: 2, length: 3 },
      { offset: 10, length: 5 },
    ],
    20,
  )
  const whole = Buffer.from('\0\0abc\0\0\0\0\0defgh\0\0\0\0\0')
  await fc.assert(
    fc.asyncProperty(fc.nat(25), fc.nat(25), async (offset, length) => {
      expect(await view.read(offset, length)).toEqual(whole.subarray(offset, offset + length))
    }),
  )
})

it('a part of a view never reaches beyond itself or the view', async () => {
  const view = viewBuffer(Buffer.from('0123456789'))
  await fc.assert(
    fc.asyncProperty(fc.nat(12), fc.nat(12), fc.nat(12), fc.nat(12), async (at, size, offset, length) => {
      const part = viewPart(view, at, size)
      const bytes = Buffer.from('0123456789'.slice(at, at + size))
      expect(part.size).toBe(bytes.length)
      expect(await part.read(offset, length)).toEqual(bytes.subarray(offset, offset + length))
    }),
  )
})
