import { describe, expect, it } from 'vitest'
import { decodeStatement } from './decode.ts'
import { PREDICATE_TYPE } from './predicate-types.ts'
import { readPredicate } from './predicates.ts'

const sha256 = 'ab'.repeat(32)
const subject = { name: 'image.tar', digest: { sha256 } }
const good = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [subject],
  predicateType: 'https://example.org/p/v1',
  predicate: { a: 1 },
}
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))

describe('decodeStatement', () => {
  it('reads a statement of anybody', () => {
    expect(decodeStatement(bytes(good))).toEqual(good)
  })

  it.each([
    ['no object', [good], 'statement-malformed'],
    ['nothing', 'null', 'statement-malformed'],
    ['another version of the statement', { ...good, _type: 'https://in-toto.io/Statement/v0.1' }, 'statement-type-unknown'],
    ['a statement without type', { ...good, _type: undefined }, 'statement-type-unknown'],
    ['a type that is a list of the right one', { ...good, _type: [good._type] }, 'statement-type-unknown'],
    ['no subjects', { ...good, subject: [] }, 'statement-subject-missing'],
    ['subjects that are no list', { ...good, subject }, 'statement-subject-missing'],
    ['a subject without digest', { ...good, subject: [{ name: 'x' }] }, 'statement-subject-digest'],
    [
      'a subject with another digest only',
      { ...good, subject: [{ name: 'x', digest: { sha512: 'ab'.repeat(64) } }] },
      'statement-subject-digest',
    ],
    ['a subject with one digest more', { ...good, subject: [{ name: 'x', digest: { sha256, sha512: 'ab' } }] }, 'statement-subject-digest'],
    ['a second subject that has none', { ...good, subject: [subject, { name: 'x', digest: {} }] }, 'statement-subject-digest'],
    ['a subject that is null', { ...good, subject: [null] }, 'statement-subject-digest'],
    ['a digest in capitals', { ...good, subject: [{ name: 'x', digest: { sha256: 'AB'.repeat(32) } }] }, 'statement-malformed'],
    ['a digest with its prefix', { ...good, subject: [{ name: 'x', digest: { sha256: `sha256:${sha256}` } }] }, 'statement-malformed'],
    ['a digest that ends in a line break', { ...good, subject: [{ name: 'x', digest: { sha256: `${sha256}\n` } }] }, 'statement-malformed'],
    ['a subject without name', { ...good, subject: [{ digest: { sha256 } }] }, 'statement-malformed'],
    ['a name that moves a terminal', { ...good, subject: [{ name: '\u001b[2J', digest: { sha256 } }] }, 'statement-malformed'],
    ['a name that turns text round', { ...good, subject: [{ name: 'a\u202eb', digest: { sha256 } }] }, 'statement-malformed'],
    ['a subject with more than name and digest', { ...good, subject: [{ ...subject, uri: 'x:y' }] }, 'statement-malformed'],
    ['more subjects than anybody needs', { ...good, subject: Array.from({ length: 1025 }, () => subject) }, 'statement-malformed'],
    ['no predicate type', { ...good, predicateType: undefined }, 'statement-malformed'],
    ['a predicate type that is no URI', { ...good, predicateType: 'provenance' }, 'statement-malformed'],
    ['a predicate type with a space', { ...good, predicateType: 'https://example.org/ p' }, 'statement-malformed'],
    ['no predicate', { ...good, predicate: undefined }, 'statement-malformed'],
    ['a predicate that is a list', { ...good, predicate: [] }, 'statement-malformed'],
    ['a key that no statement has', { ...good, extra: 1 }, 'statement-malformed'],
    ['a subject twice', `{"subject":[],${JSON.stringify(good).slice(1)}`, 'json-duplicate-key'],
  ])('refuses %s', (_, value, code) => {
    expect(() => decodeStatement(bytes(value))).toThrow(expect.objectContaining({ code }))
  })
})

describe('readPredicate', () => {
  it('reads no predicate of another type, and none of another form', () => {
    const statement = decodeStatement(bytes(good))
    expect(() => readPredicate(statement, PREDICATE_TYPE.reproduced)).toThrow(expect.objectContaining({ code: 'predicate-type-wrong' }))
    const claimed = decodeStatement(bytes({ ...good, predicateType: PREDICATE_TYPE.reproduced }))
    expect(() => readPredicate(claimed, PREDICATE_TYPE.reproduced)).toThrow(expect.objectContaining({ code: 'predicate-malformed' }))
  })
})
