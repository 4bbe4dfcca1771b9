import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NameTable, PER_NAME } from './name-table.ts'

/** Short texts of few characters, so that many are equal or begin alike, and any of one character a byte. */
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\xff'), maxLength: 6 }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
)

describe('a table of names', () => {
  test('numbers each text once, in the order of their coming, and gives it back', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 200 }), fc.array(text, { maxLength: 20 }), (texts, others) => {
        const table = new NameTable()
        const numbers = new Map<string, number>()
        for (const one of texts) {
          const number = numbers.get(one) ?? numbers.size
          expect(table.add(one)).toBe(number)
          numbers.set(one, number)
        }
        expect(table.size).toBe(numbers.size)
        for (const [one, number] of numbers) expect([table.find(one), table.text(number)]).toEqual([number, one])
        for (const other of others) expect(table.find(other)).toBe(numbers.get(other))
      }),
    )
  })

  test('compares as the bytes of the texts compare', () => {
    fc.assert(
      fc.property(text, text, (one, other) => {
        const table = new NameTable()
        const compared = table.compare(table.add(one), table.add(other))
        expect(Math.sign(compared)).toBe(one < other ? -1 : one > other ? 1 : 0)
      }),
    )
  })

  test('holds many, and says about how much that takes', () => {
    const table = new NameTable()
    const names = Array.from({ length: 50_000 }, (_, index) => `usr/share/doc/package-${index}/changelog.Debian.gz`)
    for (const [index, name] of names.entries()) if (table.add(name) !== index) expect.unreachable(name)
    for (const [index, name] of names.entries()) if (table.find(name) !== index || table.text(index) !== name) expect.unreachable(name)
    expect(table.find('usr/share/doc/package-50000/changelog.Debian.gz')).toBeUndefined()
    expect(table.bytes).toBe(names.reduce((sum, name) => sum + name.length + PER_NAME, 0))
  })

  test('takes a text that is longer than a piece of its memory', () => {
    const table = new NameTable()
    const long = 'x'.repeat(300_000)
    for (const name of ['a', long, 'b']) table.add(name)
    expect([0, 1, 2].map((number) => table.text(number))).toEqual(['a', long, 'b'])
    expect(table.compare(0, 1)).toBeLessThan(0)
  })

  test('knows no text that was not added', () => {
    const table = new NameTable()
    expect(() => table.text(0)).toThrow(RangeError)
    expect(() => table.compare(table.add('a'), 1)).toThrow(RangeError)
  })
})
