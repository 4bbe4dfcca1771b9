import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkedLimit, decodeCursor, encodeCursor, MAX_PAGE, pageOf } from './page.ts'

describe('a cursor', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }), fc.uuid(), (at, id) => {
        expect(decodeCursor(encodeCursor({ at, id }))).toEqual({ at, id })
      }),
    )
  })

  it('is refused in any other spelling', () => {
    const good = encodeCursor({ at: new Date(5), id: 'ab' })
    const json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    for (const text of [
      '',
      '!',
      `${good}=`,
      ` ${good}`,
      `${good}.`,
      json([5]),
      json([-1, 'ab']),
      json([5, "'; drop"]),
      json([5, 'ab', 1]),
      // No database reads a year of five digits.
      json([253_402_300_800_000, 'ab']),
      'A'.repeat(300),
    ])
      expect(() => decodeCursor(text), text).toThrow(expect.objectContaining({ code: 'cursor-malformed' }))
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(encodeCursor(decodeCursor(text))).toBe(text)
        } catch (error) {
          expect(error).toMatchObject({ code: 'cursor-malformed' })
        }
      }),
    )
  })
})

describe('a page', () => {
  const how = { item: (row: number) => row * 10, place: (row: number) => ({ at: new Date(row), id: String(row) }) }

  it('leads on only where there is more', () => {
    expect(pageOf([1, 2], 2, how)).toEqual({ items: [10, 20], next: null })
    expect(pageOf([1, 2, 3], 2, how)).toEqual({ items: [10, 20], next: encodeCursor({ at: new Date(2), id: '2' }) })
  })

  it('has a size within bounds', () => {
    expect([1, MAX_PAGE].map(checkedLimit)).toEqual([1, MAX_PAGE])
    for (const limit of [0, -1, 1.5, Number.NaN, MAX_PAGE + 1])
      expect(() => checkedLimit(limit)).toThrow(expect.objectContaining({ code: 'page-limit' }))
  })
})
