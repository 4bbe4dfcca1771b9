import { createHmac } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { identifier, type Refusal } from './identify.ts'
import type { IssuerConfig } from './issuer-config.ts'
import { githubClaims, gitlabClaims, type IssuerKey, makeKey, tokenOf } from './testing/issuer.ts'

const AUDIENCE = 'https://bitwitness.example'
const github: IssuerConfig = {
  issuer: 'https://token.actions.githubusercontent.com',
  kind: 'github',
  audience: AUDIENCE,
  repositoriesAt: 'https://github.com',
  authorities: null,
  privateHost: false,
  rules: [
    { repositories: ['octo-org/*'], ownerId: '65', refs: ['refs/heads/main', 'refs/tags/**'], environments: ['prod'], trusted: true },
    { repositories: ['octo-org/octo-repo', 'octo-org/renamed'], trusted: false },
  ],
}
const gitlab: IssuerConfig = {
  ...github,
  issuer: 'https://gitlab.example',
  kind: 'gitlab',
  repositoriesAt: 'https://gitlab.example',
  rules: [{ repositories: ['my-group/**'], refs: ['refs/tags/*'], trusted: false }],
}

let keys: { readonly github: IssuerKey; readonly gitlab: IssuerKey; readonly other: IssuerKey; readonly es384: IssuerKey }
beforeAll(async () => {
  keys = {
    github: await makeKey('RS256', 'one'),
    gitlab: await makeKey('ES256', 'two'),
    // By the same name as the right one.
    other: await makeKey('RS256', 'one'),
    es384: await makeKey('ES384', 'three'),
  }
})

let now: Date
let refusals: Refusal[]
let fetched: string[]
beforeEach(() => {
  now = new Date(Date.UTC(2026, 0, 1))
  refusals = []
  fetched = []
})

const published = (config: IssuerConfig) => ({
  [`${config.issuer}/.well-known/openid-configuration`]: { issuer: config.issuer, jwks_uri: `${config.issuer}/keys`, more: true },
  [`${config.issuer}/keys`]: { keys: [config.kind === 'github' ? keys.github.jwk : keys.gitlab.jwk, keys.es384.jwk] },
})

function identify(token: string, configs = [github, gitlab]) {
  const known = identifier({
    issuers: configs,
    fetch: (config) => (url) => {
      fetched.push(url)
      return Promise.resolve(Buffer.from(JSON.stringify((published(config) as Record<string, unknown>)[url])))
    },
    now: () => now,
    onRefused: (why) => refusals.push(why),
  })
  return known(token)
}

const claims = (change: Readonly<Record<string, unknown>> = {}) => ({ ...githubClaims(github.issuer, AUDIENCE, now), ...change })
const at = (seconds: number): number => now.getTime() / 1000 + seconds
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('a job', () => {
  it('of GitHub is known by the id of its repository, and may submit that', async () => {
    expect(await identify(await tokenOf(claims(), keys.github))).toEqual({
      issuer: github.issuer,
      subject: '74',
      name: 'octo-org/octo-repo',
      repositories: ['https://github.com/octo-org/octo-repo', 'https://github.com/octo-org/octo-repo.git'],
      trusted: true,
    })
  })

  it('of GitLab likewise, in groups of any depth', async () => {
    expect(await identify(await tokenOf(gitlabClaims(gitlab.issuer, AUDIENCE, now), keys.gitlab))).toEqual({
      issuer: gitlab.issuer,
      subject: '20',
      name: 'my-group/sub/my-project',
      repositories: ['https://gitlab.example/my-group/sub/my-project', 'https://gitlab.example/my-group/sub/my-project.git'],
      trusted: false,
    })
  })

  it('of a repository that was renamed is the same one by another name', async () => {
    const renamed = await identify(await tokenOf(claims({ repository: 'octo-org/renamed' }), keys.github))
    expect(renamed).toMatchObject({
      subject: '74',
      name: 'octo-org/renamed',
      repositories: ['https://github.com/octo-org/renamed', expect.anything()],
    })
  })

  it('of another account that came to have the name is not vouched for', async () => {
    expect(await identify(await tokenOf(claims({ repository_owner_id: '66', repository_id: '75' }), keys.github))).toMatchObject({
      subject: '75',
      trusted: false,
    })
  })

  it.each([
    ['another ref', { ref: 'refs/heads/feature' }],
    ['a pull request', { ref: 'refs/pull/7/merge' }],
    ['another environment', { environment: 'test' }],
    ['no environment', { environment: undefined }],
  ])('of %s comes under the rule for that', async (_, change) => {
    expect(await identify(await tokenOf(claims(change), keys.github))).toMatchObject({ trusted: false })
  })

  it('may be some seconds ahead or behind', async () => {
    for (const change of [{ exp: at(-29) }, { nbf: at(29) }, { iat: at(29), nbf: at(29) }, { iat: at(-3629), exp: at(9) }])
      expect(await identify(await tokenOf(claims(change), keys.github)), JSON.stringify(change)).toBeDefined()
  })

  it('may name its audience in a list of one', async () => {
    expect(await identify(await tokenOf(claims({ aud: [AUDIENCE] }), keys.github))).toBeDefined()
  })
})

describe('a token does not count', () => {
  const forged = (alg: string, secret: string | Buffer): string => {
    const signed = `${encoded({ alg, kid: 'one', typ: 'JWT' })}.${encoded(claims())}`
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
  }
  it.each<[string, Refusal, () => Promise<string> | string]>([
    ['of an issuer that is not configured', 'issuer', () => tokenOf(claims({ iss: 'https://issuer.example' }), keys.github)],
    ['of an issuer in another spelling', 'issuer', () => tokenOf(claims({ iss: `${github.issuer}/` }), keys.github)],
    ['without an issuer', 'issuer', () => tokenOf(claims({ iss: undefined }), keys.github)],
    ['that one issuer signed in the name of another', 'key', () => tokenOf(claims(), keys.gitlab)],
    ['for somebody else', 'audience', () => tokenOf(claims({ aud: 'https://else.example' }), keys.github)],
    ['for somebody else as well', 'claims', () => tokenOf(claims({ aud: [AUDIENCE, 'https://else.example'] }), keys.github)],
    ['for the default audience', 'audience', () => tokenOf(claims({ aud: 'https://github.com/octo-org' }), keys.github)],
    ['for nobody', 'audience', () => tokenOf(claims({ aud: undefined }), keys.github)],
    ['of another key', 'signature', () => tokenOf(claims(), keys.other)],
    ['of a key that nobody knows', 'key', () => tokenOf(claims(), { ...keys.other, kid: 'unknown' })],
    ['of no key', 'algorithm', () => tokenOf(claims(), keys.github, { kid: undefined })],
    ['with an algorithm that is not taken', 'algorithm', () => tokenOf(claims(), keys.es384)],
    ['with another algorithm of the same key', 'algorithm', () => `${encoded({ alg: 'PS256', kid: 'one' })}.${encoded(claims())}.AAAA`],
    ['with none', 'algorithm', () => `${encoded({ alg: 'none', kid: 'one' })}.${encoded(claims())}.`],
    ['with the public key for a secret', 'algorithm', () => forged('HS256', JSON.stringify(keys.github.jwk))],
    ['with the public key for a secret, and a lie about it', 'signature', () => forged('RS256', JSON.stringify(keys.github.jwk))],
    ['with the right algorithm for a key of another kind', 'key', () => tokenOf(claims(), keys.gitlab, { kid: 'one' })],
    [
      'with a header that has to be understood',
      'key',
      async () => (await tokenOf(claims(), keys.github)).replace(/^[^.]*/, encoded({ alg: 'RS256', kid: 'one', crit: ['b'], b: 1 })),
    ],
    ['that has ended', 'time', () => tokenOf(claims({ exp: at(-31) }), keys.github)],
    ['that never ends', 'issuer', () => tokenOf(claims({ exp: undefined }), keys.github)],
    ['that has not begun', 'time', () => tokenOf(claims({ nbf: at(31) }), keys.github)],
    ['that is from the future', 'time', () => tokenOf(claims({ iat: at(31) }), keys.github)],
    ['that is older than an hour', 'time', () => tokenOf(claims({ iat: at(-3631) }), keys.github)],
    ['that says no time', 'issuer', () => tokenOf(claims({ iat: undefined }), keys.github)],
    ['of another repository', 'rule', () => tokenOf(claims({ repository: 'octo-org/other', repository_owner_id: '66' }), keys.github)],
    [
      'of a repository whose name begins like the right one',
      'rule',
      () => tokenOf(claims({ repository: 'octo-org2/octo-repo' }), keys.github),
    ],
    ['of no repository', 'claims', () => tokenOf(claims({ repository: undefined }), keys.github)],
    ['of a repository without an id', 'claims', () => tokenOf(claims({ repository_id: undefined }), keys.github)],
    ['of a repository that leads elsewhere', 'claims', () => tokenOf(claims({ repository: 'octo-org/..' }), keys.github)],
    ['of a repository with a line in it', 'claims', () => tokenOf(claims({ repository: 'octo-org/octo-repo\n' }), keys.github)],
    ['of GitLab in the name of GitHub', 'claims', () => tokenOf(gitlabClaims(github.issuer, AUDIENCE, now), keys.github)],
    [
      'that says a thing twice',
      'malformed',
      () => tokenOf(JSON.stringify(claims()).replace('{', '{"repository":"octo-org/other",'), keys.github),
    ],
    [
      'that says a thing twice by another spelling',
      'malformed',
      () => tokenOf(JSON.stringify(claims()).replace('{', String.raw`{"repositor\u0079":"octo-org/other",`), keys.github),
    ],
    [
      'whose header says a thing twice',
      'malformed',
      async () => `${Buffer.from('{"alg":"none","alg":"RS256","kid":"one"}').toString('base64url')}.${encoded(claims())}.AAAA`,
    ],
    ['that is huge', 'malformed', () => tokenOf(claims({ pad: 'x'.repeat(13_000) }), keys.github)],
    ['that is nested deeply', 'malformed', () => tokenOf(`${'['.repeat(2000)}${']'.repeat(2000)}`, keys.github)],
    ['that is no JSON', 'malformed', () => tokenOf('octo-org', keys.github)],
    ['that is a list', 'issuer', () => tokenOf('[]', keys.github)],
    ['in another spelling', 'malformed', async () => (await tokenOf(claims(), keys.github)).replace('.', '=.')],
    ['that is encrypted', 'malformed', () => `${encoded({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.a.b.c.d`],
  ])('%s (%s)', async (_, why, make) => {
    expect(await identify(await make())).toBeUndefined()
    expect(refusals).toEqual([why])
  })

  it('where the signature was changed by as little as there is', async () => {
    const token = await tokenOf(claims(), keys.github)
    const cut = token.lastIndexOf('.') + 1
    expect(await identify(token.slice(0, cut) + (token[cut] === 'A' ? 'B' : 'A') + token.slice(cut + 1))).toBeUndefined()
    expect(refusals).toEqual(['signature'])
  })

  it('with a key too small to be safe', async () => {
    const { generateKeyPairSync } = await import('node:crypto')
    const { exportJWK } = await import('jose')
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const jwk = { ...(await exportJWK(small.publicKey)), alg: 'RS256', kid: 'small', use: 'sig' }
    const signed = `${encoded({ alg: 'RS256', kid: 'small' })}.${encoded(claims())}`
    const { sign } = await import('node:crypto')
    const token = `${signed}.${sign('sha256', Buffer.from(signed), small.privateKey).toString('base64url')}`
    const documents: Record<string, unknown> = { ...published(github), [`${github.issuer}/keys`]: { keys: [jwk] } }
    const known = identifier({
      issuers: [github],
      fetch: () => (url) => Promise.resolve(Buffer.from(JSON.stringify(documents[url]))),
      now: () => now,
      onRefused: (why) => refusals.push(why),
    })
    expect([await known(token), refusals]).toEqual([undefined, ['key']])
  })

  it('and nothing is fetched for one that no issuer here could have made', async () => {
    for (const token of [
      '',
      '..',
      'a.b.c',
      await tokenOf(claims({ iss: 'https://issuer.example' }), keys.github),
      await tokenOf(claims(), keys.es384),
    ])
      expect(await identify(token)).toBeUndefined()
    expect(fetched).toEqual([])
  })
})
