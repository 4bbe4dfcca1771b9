import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseChallenges } from './challenge.ts'

function read(header: string): unknown {
  return parseChallenges(header)?.map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)])
}

describe('a challenge', () => {
  it("is read as Docker Hub's, GHCR's and a plain registry's are written", () => {
    const hub = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:user/app:pull"'
    expect(read(hub)).toEqual([
      ['bearer', { realm: 'https://auth.docker.io/token', service: 'registry.docker.io', scope: 'repository:user/app:pull' }],
    ])
    expect(read('Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:user/image:pull"')).toEqual([
      ['bearer', { realm: 'https://ghcr.io/token', service: 'ghcr.io', scope: 'repository:user/image:pull' }],
    ])
    expect(read('Basic realm="Registry"')).toEqual([['basic', { realm: 'Registry' }]])
  })

  it('may stand beside others, and be written in the odd ways that the grammar has', () => {
    expect(read('Basic realm="a, b=\\"c\\"" , BEARER Realm = x , Service="y",, Negotiate')).toEqual([
      ['basic', { realm: 'a, b="c"' }],
      ['bearer', { realm: 'x', service: 'y' }],
      ['negotiate', {}],
    ])
    expect(read('Basic')).toEqual([['basic', {}]])
    expect(read('')).toEqual([])
  })

  it.each([
    'Bearer realm="a",realm="b"',
    'Bearer realm="a',
    'realm="a"',
    'Bearer realm=',
    'Bearer realm="a" service="b"',
    'Bearer realm="a"service="b"',
    'Bearer "realm"="a"',
    'Bearer realm="a";service="b"',
    `Bearer realm="${'a'.repeat(9000)}"`,
    '\u0000',
  ])('that is none by the grammar is not guessed at: %j', (header) => {
    expect(parseChallenges(header)).toBeUndefined()
  })

  it('says what was written, whatever it was', () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/)
    const value = fc.string({ unit: 'grapheme-ascii', maxLength: 30 })
    const parameters = fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 4 })
    fc.assert(
      fc.property(fc.array(fc.tuple(name, parameters), { maxLength: 3 }), (challenges) => {
        const header = challenges
          .map(([scheme, list]) =>
            `${scheme} ${list.map(([key, text]) => `${key}="${text.replaceAll(/["\\]/g, '\\$&')}"`).join(', ')}`.trim(),
          )
          .join(', ')
        expect(read(header)).toEqual(challenges.map(([scheme, list]) => [scheme, Object.fromEntries(list)]))
      }),
    )
  })

  it('never takes long, however it is written', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '=', ',', ' ', '"', '\\', 'B'), maxLength: 200 }),
        (text) => parseChallenges(text) !== null,
      ),
    )
  })
})
