import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_AGE, MAX_AHEAD, NonceMemory } from './nonce-memory.ts'

describe('a memory of nonces', () => {
  it('takes each once, for each key on its own', () => {
    const memory = new NonceMemory({ since: 0 })
    const one = { key: 'a', nonce: 'n', created: 1000, now: 1000 }
    expect([one, one, { ...one, key: 'b' }, { ...one, nonce: 'm' }, one].map((said) => memory.take(said))).toEqual([
      'new',
      'again',
      'new',
      'new',
      'again',
    ])
  })

  it('takes nothing of before it began, and nothing that is older than it remembers', () => {
    const memory = new NonceMemory({ since: 1000 })
    expect(memory.take({ key: 'a', nonce: 'n', created: 999, now: 1000 })).toBe('too-old')
    expect(memory.take({ key: 'a', nonce: 'n', created: 1000, now: 1000 + MAX_AGE })).toBe('new')
    expect(memory.take({ key: 'a', nonce: 'm', created: 1000, now: 1001 + MAX_AGE })).toBe('too-old')
  })

  it('forgets the oldest of a key when it is full, and takes none of that time any more', () => {
    const memory = new NonceMemory({ since: 0, most: 3 })
    const take = (nonce: string, created: number, key = 'a') => memory.take({ key, nonce, created, now: 1000 })
    expect([take('1', 990), take('2', 991), take('3', 992)]).toEqual(['new', 'new', 'new'])
    expect([take('4', 992), take('1', 990), take('5', 990), take('2', 991)]).toEqual(['new', 'too-old', 'too-old', 'again'])
    // All of one second.
    expect([take('6', 992), take('2', 991), take('7', 992), take('3', 992), take('7', 993)]).toEqual([
      'new',
      'too-old',
      'too-old',
      'too-old',
      'new',
    ])
    expect(take('1', 990, 'b')).toBe('new')
  })

  it('never takes the same twice, whatever comes and however little it holds', () => {
    const said = fc.record({
      key: fc.constantFrom('a', 'b'),
      nonce: fc.constantFrom('1', '2', '3', '4'),
      offset: fc.integer({ min: -MAX_AGE - 5, max: MAX_AHEAD }),
      passes: fc.nat({ max: 200 }),
    })
    fc.assert(
      fc.property(fc.array(said, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (all, most) => {
        const memory = new NonceMemory({ since: 0, most })
        const taken = new Set<string>()
        let now = 10_000
        for (const { key, nonce, offset, passes } of all) {
          now += passes
          const created = now + offset
          if (memory.take({ key, nonce, created, now }) !== 'new') continue
          const known = `${key} ${nonce} ${created}`
          expect(taken).not.toContain(known)
          taken.add(known)
        }
      }),
    )
  })
})
