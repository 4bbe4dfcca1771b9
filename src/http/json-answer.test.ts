import fc from 'fast-check'
import { expect, it } from 'vitest'
import { shownJson } from './json-answer.ts'

const HOSTILE = '</script><!--&amp;\u007f\u009b31m\u00ad\u061c\u200b\u200e\u2028\u202e\u2066\ufeff\u{e0041}"\\\n'

it('is the same document, in which nothing hides or could be markup', () => {
  const text = shownJson({ [HOSTILE]: HOSTILE })
  expect(JSON.parse(text)).toEqual({ [HOSTILE]: HOSTILE })
  expect(text).toMatch(/^[\x20-\x7e]*$/)
  expect(text).not.toMatch(/[<>&]/)
  expect(shownJson('é 漢 🙂')).toBe('"é 漢 🙂"')
})

it('is the same document, whatever is in it', () => {
  const values = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }))
  fc.assert(
    fc.property(values, (value) => {
      const text = shownJson(value)
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      expect(text).not.toMatch(/[<>&\u200b-\u200f\u202a-\u202e\u2066-\u2069]/)
    }),
  )
})
