import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { readCiIdentity } from './ci-identity.ts'
import type { Environment } from './setting.ts'
import { readSettings } from './settings.ts'
import { type SigningConfig, signingConfig } from './signing.ts'

const read = (environment: Environment): SigningConfig => signingConfig(readSettings(environment))
const own = {
  BITWITNESS_SIGNER: 'sigstore',
  BITWITNESS_FULCIO_URL: 'http://fulcio:5555',
  BITWITNESS_REKOR_URL: 'http://rekor:3000',
  BITWITNESS_TRUSTED_ROOT: '/etc/sigstore/trusted_root.json',
}

describe('the settings of signing', () => {
  it('sign with the key of the home and ask nobody where nothing is set', () => {
    expect(read({})).toEqual({ mode: 'key', keyFile: null, tsa: null, trustedRoot: null, builderId: null })
  })

  it('have a key timestamped where an authority is named', () => {
    expect(
      read({
        BITWITNESS_KEY_FILE: '/etc/key.pem',
        BITWITNESS_TSA_URL: 'https://tsa.example/api/v1/timestamp',
        BITWITNESS_BUILDER_ID: 'https://witness.example/builder',
      }),
    ).toEqual({
      mode: 'key',
      keyFile: '/etc/key.pem',
      tsa: new URL('https://tsa.example/api/v1/timestamp'),
      trustedRoot: null,
      builderId: 'https://witness.example/builder',
    })
  })

  it('go to the public good instance for sigstore, with its log of version 1 and its timestamps', () => {
    expect(read({ BITWITNESS_SIGNER: 'sigstore' })).toEqual({
      mode: 'sigstore',
      servers: {
        fulcio: new URL('https://fulcio.sigstore.dev/'),
        log: {
          version: 1,
          rekor: new URL('https://rekor.sigstore.dev/'),
          tsa: new URL('https://timestamp.sigstore.dev/api/v1/timestamp'),
        },
      },
      token: { kind: 'ci' },
      bearer: null,
      trustedRoot: null,
      builderId: null,
    })
    expect(read({ BITWITNESS_SIGNER: 'sigstore', BITWITNESS_TSA_URL: 'none' })).toMatchObject({
      servers: { log: { version: 1, tsa: null } },
    })
  })

  it('go to servers of one’s own, to none of strangers beside them', () => {
    expect(read(own)).toMatchObject({
      servers: { fulcio: new URL('http://fulcio:5555/'), log: { version: 1, rekor: new URL('http://rekor:3000/'), tsa: null } },
      trustedRoot: '/etc/sigstore/trusted_root.json',
    })
    expect(read({ ...own, BITWITNESS_REKOR_VERSION: '2', BITWITNESS_TSA_URL: 'http://tsa:3004' })).toMatchObject({
      servers: { log: { version: 2, rekor: new URL('http://rekor:3000/'), tsa: new URL('http://tsa:3004/') } },
    })
  })

  it.each([
    ['/var/run/secrets/token', { kind: 'file', path: '/var/run/secrets/token' }],
    ['https://issuer.example/token?audience=sigstore', { kind: 'url', url: new URL('https://issuer.example/token?audience=sigstore') }],
    ['http://127.0.0.1:7101/token', { kind: 'url', url: new URL('http://127.0.0.1:7101/token') }],
    ['http://[::1]/token', { kind: 'url', url: new URL('http://[::1]/token') }],
    ['ci', { kind: 'ci' }],
  ])('read the identity token from %s', (text, token) => {
    expect(read({ BITWITNESS_SIGNER: 'sigstore', BITWITNESS_IDENTITY_TOKEN: text })).toMatchObject({ token })
  })

  it('read a bearer for an address', () => {
    const environment = {
      BITWITNESS_SIGNER: 'sigstore',
      BITWITNESS_IDENTITY_TOKEN: 'https://issuer.example/token',
      BITWITNESS_IDENTITY_TOKEN_BEARER: '/run/bearer',
    }
    expect(read(environment)).toMatchObject({ bearer: '/run/bearer' })
  })

  it.each<[string, Environment, string]>([
    ['a log of version 2 without timestamps', { ...own, BITWITNESS_REKOR_VERSION: '2' }, 'Rekor v2 needs a timestamp authority'],
    [
      'a log of version 2 with timestamps switched off',
      { ...own, BITWITNESS_REKOR_VERSION: '2', BITWITNESS_TSA_URL: 'none' },
      'Rekor v2 needs a timestamp authority',
    ],
    ['version 2 of the public log', { BITWITNESS_SIGNER: 'sigstore', BITWITNESS_REKOR_VERSION: '2' }, 'a server of your own'],
    ['a private Fulcio beside the public log', { ...own, BITWITNESS_REKOR_URL: '' }, 'go together'],
    ['a private log beside the public Fulcio', { ...own, BITWITNESS_FULCIO_URL: '' }, 'go together'],
    ['private servers without their root', { ...own, BITWITNESS_TRUSTED_ROOT: '' }, 'without their trusted root'],
    [
      'private timestamps for the public instance',
      { BITWITNESS_SIGNER: 'sigstore', BITWITNESS_TSA_URL: 'https://tsa.example' },
      'its own timestamp',
    ],
    ['a bearer for a file', { ...own, BITWITNESS_IDENTITY_TOKEN: '/t', BITWITNESS_IDENTITY_TOKEN_BEARER: '/b' }, 'is no URL'],
  ])('refuse %s', (_, environment, message) => {
    expect(() => read(environment)).toThrow(
      expect.objectContaining({ code: 'setting-conflict', message: expect.stringContaining(message) }),
    )
  })
})

describe('what a CI system gives', () => {
  it('is read as GitHub and as others give it', () => {
    const github = {
      ACTIONS_ID_TOKEN_REQUEST_URL: 'https://runner.example/token?api-version=2.0',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner-secret',
    }
    const ci = readCiIdentity({ ...github, SIGSTORE_ID_TOKEN: 'job-secret' })
    expect([ci.github?.url.href, ci.github?.bearer.reveal(), ci.token?.reveal()]).toEqual([
      github.ACTIONS_ID_TOKEN_REQUEST_URL,
      'runner-secret',
      'job-secret',
    ])
    expect(inspect(ci, { depth: 9, showHidden: true }) + JSON.stringify(ci)).not.toMatch(/runner-secret|job-secret/)
  })

  it.each<[Environment]>([
    [{}],
    [{ ACTIONS_ID_TOKEN_REQUEST_URL: 'https://runner.example' }],
    [{ ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x' }],
    [{ ACTIONS_ID_TOKEN_REQUEST_URL: 'x', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x' }],
  ])('is nothing where %j is all there is', (environment) => {
    expect(readCiIdentity(environment)).toEqual({ github: null, token: null })
  })
})
