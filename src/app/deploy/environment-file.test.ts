import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../../verifier/model/failure.ts'
import { environmentIn } from './environment-file.ts'

const read = (text: string) => environmentIn(Buffer.from(text))

describe('an environment', () => {
  it('has the values as they stand, by name', () => {
    expect(read('# of this app\nB="quoted" # and more\r\n\n   \nA=\nC=x=y ')).toEqual([
      { name: 'A', value: '' },
      { name: 'B', value: '"quoted" # and more' },
      { name: 'C', value: 'x=y ' },
    ])
  })

  it.each([
    ['a name twice', 'A=1\nA=2'],
    ['a line that is none', 'A=1\nexport B=2'],
    ['a name that is none', '1A=secret'],
    ['a zero', 'A=\0'],
    ['a carriage return within', 'A=a\rb'],
    ['no UTF-8', Buffer.from([0x41, 0x3d, 0xff])],
    ['too many', Array.from({ length: 257 }, (_, at) => `N${at}=`).join('\n')],
  ])('with %s is refused, and nothing of it is said', (_, text) => {
    const failure = thrown(() => environmentIn(Buffer.from(text)))
    expect([failure.code, `${failure.message}${failure.hint}`]).toEqual(['environment-malformed', expect.not.stringContaining('secret')])
  })

  it('comes out as it was written', () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/)
    const value = fc.string({ unit: 'grapheme' }).filter((text) => !/[\n\r\0]/.test(text))
    fc.assert(
      fc.property(fc.dictionary(name, value, { maxKeys: 20, noNullPrototype: false }), (values) => {
        const entries = Object.entries(values)
        const text = entries.map(([key, one]) => `${key}=${one}`).join('\n')
        expect(Object.fromEntries(read(text).map((one) => [one.name, one.value]))).toEqual(Object.fromEntries(entries))
      }),
    )
  })
})

function thrown(act: () => unknown): Failure {
  try {
    act()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('nothing was refused')
}
