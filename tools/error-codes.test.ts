import { expect, it } from 'vitest'
import { errorCodes } from './error-codes.ts'

const codes = errorCodes()
const named = (code: string) => codes.find((one) => one.code === code)

it('finds codes in object literals and in tables, with message and hint', () => {
  expect(named('digest-malformed')).toEqual({
    code: 'digest-malformed',
    messages: ['not a sha256 digest'],
    hints: ['give sha256: and 64 lower-case hexadecimal digits, as sha256sum prints them'],
  })
  expect(named('tar-truncated')?.messages).toEqual(['the archive ends before its end marker of two zero blocks'])
  expect(named('setting-unknown')?.messages).toEqual(['there is no setting …'])
})

it('finds every code that is given as the first word of a new failure', () => {
  expect(codes.length).toBeGreaterThan(40)
  expect(codes.map(({ code }) => code)).toEqual([...new Set(codes.map(({ code }) => code))].toSorted())
})
