import { expect, it } from 'vitest'
import { bundlesInDocument, MAX_BUNDLES } from './bundle-documents.ts'

const read = (text: string): string[] => bundlesInDocument(Buffer.from(text)).map((bytes) => Buffer.from(bytes).toString())

it.each([
  ['one bundle', '{"a":1}', ['{"a":1}']],
  ['one bundle over several lines', '{\n"a": {\n}\n}\n', ['{\n"a": {\n}\n}\n']],
  ['bundles on lines of their own', '{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']],
  ['empty lines between them', '\n{"a":1}\r\n\n{"b":2}', ['{"a":1}\r', '{"b":2}']],
  ['one line that is none beside one that is', '{"a":1}\nx', ['{"a":1}\nx']],
  ['nothing', '', ['']],
])('finds %s', (_, text, bundles) => {
  expect(read(text)).toEqual(bundles)
})

it('looks at no more than so many', () => {
  expect(read('{}\n'.repeat(MAX_BUNDLES))).toHaveLength(MAX_BUNDLES)
  expect(() => read('{}\n'.repeat(MAX_BUNDLES + 1))).toThrowError(expect.objectContaining({ code: 'bundles-too-many' }))
})
