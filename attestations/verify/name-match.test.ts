import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nameMatches } from './name-match.ts'

it.each([
  ['https://github.com/acme/*', 'https://github.com/acme/rebuilder', true],
  ['https://github.com/acme/*', 'https://github.com/acme/rebuilder/x', false],
  ['https://github.com/acme/**', 'https://github.com/acme/rebuilder/x@refs/heads/main', true],
  ['https://github.com/acme/*', 'https://github.com/acmeevil/x', false],
  ['https://*.acme.example/x', 'https://mallory.example?.acme.example/x', false],
  ['https://*.acme.example/x', 'https://mallory.example#.acme.example/x', false],
  ['https://*.acme.example/x', 'https://a.acme.example/x', true],
  ['https://a.example/*/b', 'https://a.example//b', true],
  ['*', 'a', true],
  ['*', '', true],
  ['*', 'a@b', false],
  ['*@acme.example', 'a@b@acme.example', false],
  ['**', 'https://anything/at?all', true],
  ['a.c', 'abc', false],
  ['^a$', 'a', false],
  ['', 'a', false],
])('%s against %s is %s', (pattern, name, matches) => {
  expect(nameMatches({ pattern }, name)).toBe(matches)
})

const names = fc.string({ unit: 'binary-ascii', maxLength: 40 })
/** Names full of what has a meaning in some language of patterns. */
const meta = fc.string({ unit: fc.constantFrom(...'.*+?^${}()|[]\\/-#@a1'.split('')), maxLength: 20 })

it('takes an exact name for itself alone, whatever is in it', () => {
  fc.assert(
    fc.property(fc.oneof(names, meta), fc.oneof(names, meta), (wanted, name) => {
      expect(nameMatches(wanted, name)).toBe(wanted === name)
      expect(nameMatches(wanted, wanted)).toBe(true)
    }),
  )
})

it('takes a pattern without a star for itself alone', () => {
  fc.assert(
    fc.property(
      meta.map((text) => text.replaceAll('*', '')),
      meta,
      (pattern, name) => {
        expect(nameMatches({ pattern }, name)).toBe(pattern === name)
      },
    ),
  )
})

it('agrees with the regular expression that a pattern stands for', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'*a/@'.split('')), maxLength: 8 }),
      fc.string({ unit: fc.constantFrom(...'ab/@'.split('')), maxLength: 8 }),
      (pattern, name) => {
        const source = pattern.replaceAll(/\*\*|\*/g, (stars) => (stars === '**' ? '[^]*' : '[^/?#@]*'))
        expect(nameMatches({ pattern }, name)).toBe(new RegExp(`^${source}$`).test(name))
      },
    ),
    { numRuns: 1000 },
  )
})

it('takes no longer than both lengths together allow', () => {
  const started = performance.now()
  expect(nameMatches({ pattern: `${'*a'.repeat(200)}b` }, 'a'.repeat(2000))).toBe(false)
  expect(performance.now() - started).toBeLessThan(5000)
})
