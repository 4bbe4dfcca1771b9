import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Rule } from './issuer-config.ts'
import { matches, matchingRule } from './matching-rule.ts'

describe('a pattern', () => {
  it.each([
    ['octo/app', 'octo/app', true],
    ['octo/app', 'octo/app2', false],
    ['octo/app', 'my-octo/app', false],
    ['octo/app', 'Octo/app', false],
    ['octo/*', 'octo/app', true],
    ['octo/*', 'octo/', true],
    ['octo/*', 'octo/group/app', false],
    ['octo/**', 'octo/group/app', true],
    ['*/app', 'octo/app', true],
    ['octo/app-*', 'octo/app-1', true],
    ['refs/tags/v*', 'refs/tags/v1.0', true],
    ['refs/tags/v*', 'refs/heads/v1.0', false],
    ['refs/heads/release/**', 'refs/heads/release/1/2', true],
    ['refs/heads/main', 'refs/heads/main\n', false],
    ['a.c', 'abc', false],
    ['(a|b)+', 'a', false],
    ['(a|b)+', '(a|b)+', true],
  ])('%s takes %j: %s', (pattern, text, taken) => {
    expect(matches(pattern, text)).toBe(taken)
  })

  it('without a star takes itself and nothing else', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '-', '(', '[', '$', '^', '\\', '+', '?', '|', '\n'), maxLength: 6 })
    fc.assert(
      fc.property(text, text, (pattern, other) => {
        expect([matches(pattern, pattern), matches(pattern, other)]).toEqual([true, other === pattern])
      }),
    )
  })
})

it('a job comes under the first rule that it keeps all of', () => {
  const job = { repository: 'octo/app', repositoryId: '1', ownerId: '2', ref: 'refs/heads/main', environment: null }
  const rule = (change: Partial<Rule>): Rule => ({ repositories: ['octo/app'], trusted: false, ...change })
  const plain = rule({})
  expect(matchingRule([], job)).toBeUndefined()
  expect(matchingRule([rule({ repositories: ['octo/other'] })], job)).toBeUndefined()
  for (const asks of [
    { ownerId: '3' },
    { refs: ['refs/heads/x'] },
    { environments: ['**'] },
    { refs: ['refs/heads/main'], ownerId: '3' },
  ]) {
    expect(matchingRule([rule(asks)], job)).toBeUndefined()
    expect(matchingRule([rule(asks), plain], job)).toBe(plain)
  }
  const kept = rule({ ownerId: '2', refs: ['refs/heads/x', 'refs/heads/*'], repositories: ['a/b', 'octo/*'], trusted: true })
  expect(matchingRule([kept, plain], job)).toBe(kept)
})
