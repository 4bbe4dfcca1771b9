import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type FileServer, redirecting, sending, serveFiles } from '../src/download/testing/file-server.ts'
import { githubClaims, gitlabClaims, type IssuerKey, makeKey, tokenOf } from '../src/identity/testing/issuer.ts'
import { openIdentities } from '../src/identity-room.ts'
import { run } from '../verifier/source/testing/programs.ts'

const AUDIENCE = 'https://bitwitness.example'

let tls: { readonly key: string; readonly cert: string }
let key: IssuerKey
beforeAll(async () => {
  const room = await mkdtemp(path.join(tmpdir(), 'bitwitness-tls-'))
  const made = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', 'key', '-out', 'cert']
  run('openssl', ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-days', '1', ...made], { cwd: room })
  const [secret, cert] = await Promise.all(['key', 'cert'].map((name) => readFile(path.join(room, name), 'latin1')))
  tls = { key: secret ?? '', cert: cert ?? '' }
  await rm(room, { recursive: true })
  key = await makeKey('RS256', 'one')
})

let folder: string
let server: FileServer
let answers: Record<string, Parameters<typeof serveFiles>[0]>
let issuer: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-identities-'))
  await writeFile(path.join(folder, 'ca.pem'), tls.cert)
  answers = {}
  server = await serveFiles(
    (request, response) => (answers[request.url ?? ''] ?? ((_, absent) => void absent.writeHead(404).end()))(request, response),
    {
      tls,
    },
  )
  issuer = `https://localhost:${server.port}`
  answers['/.well-known/openid-configuration'] = sending(JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks` }))
  answers['/jwks'] = sending(JSON.stringify({ keys: [key.jwk] }))
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const PRIVATE = '\n    privateHost: true\n    ca: FOLDER/ca.pem'
async function opened(change: { readonly more?: string; readonly kind?: string } = {}) {
  const file = path.join(folder, 'issuers.yaml')
  await writeFile(
    file,
    `issuers:
  - issuer: ${issuer}
    kind: ${change.kind ?? 'github'}
    repositoriesAt: https://git.example${(change.more ?? PRIVATE).replace('FOLDER', folder)}
    rules: [{repositories: ['**/*']}]
`,
  )
  return await openIdentities({ issuers: file, publicUrl: new URL(AUDIENCE), now: () => new Date(), onRefused: () => {} })
}
const githubToken = async (): Promise<string> => await tokenOf(githubClaims(issuer, AUDIENCE, new Date()), key)

describe('an issuer on a host of the operator’s own', () => {
  it('is asked for its keys by https, and what it signed counts', async () => {
    const identify = await opened()
    expect(await identify(await githubToken())).toEqual({
      issuer,
      subject: '74',
      name: 'octo-org/octo-repo',
      repositories: ['https://git.example/octo-org/octo-repo', 'https://git.example/octo-org/octo-repo.git'],
      trusted: false,
    })
    expect(await identify(await githubToken())).toBeDefined()
    const stranger = await makeKey('RS256', 'one')
    expect(await identify(await tokenOf(githubClaims(issuer, AUDIENCE, new Date()), stranger))).toBeUndefined()
    expect(server.requests.map((request) => request.path)).toEqual(['/.well-known/openid-configuration', '/jwks'])
    expect(server.requests[0]?.headers).not.toHaveProperty('authorization')
  })

  it('may be a GitLab', async () => {
    const identify = await opened({ kind: 'gitlab' })
    const token = await tokenOf(gitlabClaims(issuer, AUDIENCE, new Date()), key)
    expect(await identify(token)).toMatchObject({ issuer, subject: '20', name: 'my-group/sub/my-project' })
  })

  it.each([
    ['on an address that is not public, unless the operator says so', '\n    ca: FOLDER/ca.pem'],
    ['whose certificate nobody vouches for', '\n    privateHost: true'],
  ])('is not believed %s', async (_, more) => {
    const identify = await opened({ more })
    await expect(identify(await githubToken())).rejects.toMatchObject({ code: 'issuer-unreachable' })
    expect(server.requests).toEqual([])
  })

  it('leads nowhere by a redirect, not even to itself', async () => {
    answers['/else'] = answers['/jwks'] as (typeof answers)[string]
    answers['/jwks'] = redirecting('/else')
    await expect((await opened())(await githubToken())).rejects.toMatchObject({ code: 'issuer-unreachable' })
    expect(server.requests.map((request) => request.path)).toEqual(['/.well-known/openid-configuration', '/jwks'])
  })

  it('is not listened to for longer than a document is', async () => {
    answers['/jwks'] = sending(' '.repeat(256 * 1024 + 1))
    await expect((await opened())(await githubToken())).rejects.toMatchObject({ code: 'issuer-unreachable' })
  })

  it('is asked twice however many tokens come with a key that it does not have', async () => {
    const identify = await opened()
    const unknown = { ...(await makeKey('RS256', 'two')), kid: 'unknown' }
    const tokens = await Promise.all(Array.from({ length: 50 }, () => tokenOf(githubClaims(issuer, AUDIENCE, new Date()), unknown)))
    expect(await Promise.all(tokens.map((token) => identify(token)))).toEqual(tokens.map(() => undefined))
    expect(server.requests.length).toBe(2)
  })
})

it('no token counts where no issuer is configured', async () => {
  const identify = await openIdentities({ issuers: null, publicUrl: null, now: () => new Date(), onRefused: () => {} })
  expect(await identify(await githubToken())).toBeUndefined()
})
