import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseStrictJson } from './strict-json.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const codeOf = (read: () => unknown): unknown => {
  try {
    read()
  } catch (error) {
    return (error as { code?: unknown }).code
  }
  return undefined
}

describe('parseStrictJson', () => {
  it.each([
    ['nothing', '', 'json-malformed'],
    ['two documents', '{} {}', 'json-malformed'],
    ['a comment', '{/**/}', 'json-malformed'],
    ['a string without end', '"abc', 'json-malformed'],
    ['a string that ends in a backslash', '"abc\\', 'json-malformed'],
    ['a key with a bad escape', '{"\\x":1}', 'json-malformed'],
    ['a line break in a string', '"a\nb"', 'json-malformed'],
    ['a byte order mark', '\ufeff{}', 'json-malformed'],
    ['a key called __proto__', '{"__proto__":{"a":1}}', 'json-malformed'],
    ['__proto__ in another spelling', '{"\\u005f_proto__":1}', 'json-malformed'],
    ['a key twice', '{"a":1,"a":1}', 'json-duplicate-key'],
    ['a key twice in two spellings', '{"a":1,"\\u0061":2}', 'json-duplicate-key'],
    ['a key twice with objects between', '{"a":{"b":[{"a":1},"x"]},"c":",","a":2}', 'json-duplicate-key'],
    ['a key twice, deep down', '[[{"x":[{"a":1,"b":2,"a":3}]}]]', 'json-duplicate-key'],
    ['a number above all', '[1e400]', 'json-number-inexact'],
    ['an integer that a double rounds', '{"a":9007199254740993}', 'json-number-inexact'],
    ['arrays in arrays without end', '['.repeat(65), 'json-too-deep'],
    ['objects in objects', `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, 'json-too-deep'],
  ])('refuses %s', (_, text, code) => {
    expect(codeOf(() => parseStrictJson(bytes(text)))).toBe(code)
  })

  it('refuses bytes that are no UTF-8, overlong forms and surrogates among them', () => {
    for (const odd of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0xaf, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x22, 0xe2, 0x82],
    ])
      expect(codeOf(() => parseStrictJson(Uint8Array.from(odd)))).toBe('json-not-utf8')
  })

  it('refuses what is too large before it looks at it', () => {
    expect(codeOf(() => parseStrictJson(bytes('"x"'), { maxBytes: 2, maxDepth: 1 }))).toBe('json-too-large')
    expect(parseStrictJson(bytes('"x"'), { maxBytes: 3, maxDepth: 1 })).toBe('x')
  })

  it('takes a depth of exactly the limit, and brackets in strings for what they are', () => {
    expect(parseStrictJson(bytes(`${'['.repeat(64)}${']'.repeat(64)}`))).toBeInstanceOf(Array)
    expect(parseStrictJson(bytes(`["${'[{'.repeat(100)}\\"{\\\\"]`))).toEqual([`${'[{'.repeat(100)}"{\\`])
  })

  it('takes one key in two objects, and a key that is a value elsewhere', () => {
    expect(parseStrictJson(bytes('{"a":"a","b":["a","a",{"a":{"a":0}},{"a":1}]}'))).toEqual({
      a: 'a',
      b: ['a', 'a', { a: { a: 0 } }, { a: 1 }],
    })
  })

  it('reads whatever JSON.stringify writes as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        fc.pre(!text.includes('__proto__'))
        expect(parseStrictJson(bytes(text))).toEqual(JSON.parse(text))
      }),
    )
  })

  it('throws nothing but its own failures, whatever it is given', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .string({
          unit: fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', 'u', 'a', '0', '1', 'e', '-', '.', '\u2028', '_'),
          maxLength: 40,
        })
        .map(bytes),
    )
    fc.assert(
      fc.property(hostile, (given) => {
        const code = codeOf(() => parseStrictJson(given))
        expect(code ?? 'json-').toMatch(/^json-/)
      }),
      { numRuns: 2000 },
    )
  })
})
