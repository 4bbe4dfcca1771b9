import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { IssuerKeys } from './issuer-keys.ts'
import { type IssuerKey, makeKey } from './testing/issuer.ts'

const ISSUER = 'https://issuer.example/ci'
const SECOND = 1000
let one: IssuerKey
let two: IssuerKey
beforeAll(async () => {
  ;[one, two] = await Promise.all([makeKey('ES256', 'one'), makeKey('ES256', 'two')])
})

let now: number
let fetched: string[]
let documents: Record<string, unknown>
beforeEach(() => {
  now = 0
  fetched = []
  documents = {
    [`${ISSUER}/.well-known/openid-configuration`]: { issuer: ISSUER, jwks_uri: 'https://issuer.example/keys' },
    'https://issuer.example/keys': { keys: [one.jwk] },
  }
})

const opened = () =>
  new IssuerKeys({
    issuer: ISSUER,
    now: () => now,
    fetch: async (url) => {
      fetched.push(url)
      const document = documents[url]
      if (document === undefined) throw new Error('what a server said')
      return Buffer.from(typeof document === 'string' ? document : JSON.stringify(document))
    },
  })
const header = ({ alg, kid }: IssuerKey) => ({ alg, kid })

describe('the keys of an issuer', () => {
  it('are fetched once for all who ask, and kept for ten minutes', async () => {
    const keys = opened()
    const found = await Promise.all([keys.keyFor(header(one)), keys.keyFor(header(one)), keys.keyFor(header(one))])
    expect(found.map((key) => key !== undefined)).toEqual([true, true, true])
    now = 599 * SECOND
    await keys.keyFor(header(one))
    expect(fetched).toEqual([`${ISSUER}/.well-known/openid-configuration`, 'https://issuer.example/keys'])
    now = 600 * SECOND
    await keys.keyFor(header(one))
    expect(fetched.length).toBe(4)
  })

  it('are fetched again for a key that is new, and not for each that nobody knows', async () => {
    const keys = opened()
    await keys.keyFor(header(one))
    documents['https://issuer.example/keys'] = { keys: [one.jwk, two.jwk] }
    for (let asked = 0; asked < 100; asked += 1) expect(await keys.keyFor(header(two))).toBeUndefined()
    expect(fetched.length).toBe(2)
    now = 30 * SECOND
    expect(await keys.keyFor(header(two))).toBeDefined()
    for (let asked = 0; asked < 100; asked += 1) expect(await keys.keyFor({ alg: 'ES256', kid: `unknown ${asked}` })).toBeUndefined()
    expect(fetched.length).toBe(4)
  })

  it('count for an hour while the issuer is down, and then no more', async () => {
    const keys = opened()
    await keys.keyFor(header(one))
    documents = {}
    now = 3599 * SECOND
    expect(await keys.keyFor(header(one))).toBeDefined()
    now = 3600 * SECOND
    await expect(keys.keyFor(header(one))).rejects.toMatchObject({ code: 'issuer-unreachable', retryable: true })
  })

  it('that were withdrawn count no more once they were asked for again', async () => {
    const keys = opened()
    await keys.keyFor(header(one))
    documents['https://issuer.example/keys'] = { keys: [two.jwk] }
    now = 600 * SECOND
    expect(await keys.keyFor(header(one))).toBeUndefined()
  })

  it('are asked for at most twice a minute while they cannot be had', async () => {
    documents = {}
    const keys = opened()
    for (let asked = 0; asked < 50; asked += 1)
      await expect(keys.keyFor(header(one))).rejects.toMatchObject({
        code: 'issuer-unreachable',
        message: expect.not.stringContaining('server said'),
      })
    expect(fetched.length).toBe(1)
    now = 30 * SECOND
    await expect(keys.keyFor(header(one))).rejects.toMatchObject({ code: 'issuer-unreachable' })
    expect(fetched.length).toBe(2)
  })

  const discovery = (change: object) => ({
    [`${ISSUER}/.well-known/openid-configuration`]: { issuer: ISSUER, jwks_uri: 'https://issuer.example/keys', ...change },
  })
  it.each<[string, () => Record<string, unknown>]>([
    ['of another issuer', () => discovery({ issuer: 'https://issuer.example' })],
    ['of a host that speaks for it', () => discovery({ jwks_uri: 'https://keys.example/keys' })],
    ['without TLS', () => discovery({ jwks_uri: 'http://issuer.example/keys' })],
    ['on another port', () => discovery({ jwks_uri: 'https://issuer.example:8443/keys' })],
    ['that lie nowhere', () => discovery({ jwks_uri: '/keys' })],
    [
      'in a discovery document that says two things',
      () => ({
        [`${ISSUER}/.well-known/openid-configuration`]: `{"issuer":"${ISSUER}","jwks_uri":"https://a.example","jwks_uri":"https://issuer.example/keys"}`,
      }),
    ],
    ['too many', () => ({ 'https://issuer.example/keys': { keys: Array.from({ length: 65 }, () => one.jwk) } })],
    ['that are none', () => ({ 'https://issuer.example/keys': { keys: 'all' } })],
    ['in no JSON', () => ({ 'https://issuer.example/keys': '<html>' })],
  ])('%s are none', async (_, change) => {
    Object.assign(documents, change())
    await expect(opened().keyFor(header(one))).rejects.toMatchObject({ code: 'issuer-unreachable' })
    expect(fetched.every((url) => url.startsWith('https://issuer.example/'))).toBe(true)
  })

  it('are none where two have the same name', async () => {
    documents['https://issuer.example/keys'] = { keys: [one.jwk, { ...two.jwk, kid: 'one' }] }
    await expect(opened().keyFor(header(one))).rejects.toMatchObject({ code: 'ERR_JWKS_MULTIPLE_MATCHING_KEYS' })
  })
})
