import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Failure } from '../../verifier/model/failure.ts'
import type { SigstoreOptions } from './sigstore-signer.ts'
import type { Reply } from './testing/mock-reply.ts'
import type { MockRequest, MockService, MockSigstore } from './testing/mock-sigstore.ts'
import { startMockSigstore } from './testing/mock-sigstore.ts'
import { mockSigner, QUICK } from './testing/signers.ts'
import { statementBytes } from './testing/statement.ts'
import { tokenFromFile, tokenFromUrl } from './token-sources.ts'

let mock: MockSigstore
let folder: string
let token: string
beforeAll(async () => {
  mock = await startMockSigstore()
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-leaks-'))
  token = mock.token({ sub: 'https://rebuilder.mock/planted' })
})
afterAll(async () => {
  await mock[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** Everything that an error shows, however it is printed, and what it was caused by. */
function shown(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const printed = [error.message, error.stack, JSON.stringify(error), inspect(error, { depth: 9, showHidden: true, getters: true })]
  const own = error instanceof Failure ? [error.hint, JSON.stringify(error.data), error.code] : []
  return [...printed, ...own, error.cause === undefined ? '' : shown(error.cause)].join('\n')
}

/** No part of the token, and no word of a server, is in what an error shows. */
function expectClean(error: unknown, ...planted: readonly string[]): void {
  const text = shown(error)
  const parts = [...token.split('.'), 'planted', Buffer.from('planted').toString('base64').slice(0, 8), ...planted]
  expect(parts.filter((part) => text.includes(part))).toEqual([])
}

async function failureWith(version: 1 | 2, change: Partial<SigstoreOptions>): Promise<unknown> {
  const signing = mockSigner(mock, version, change).sign(statementBytes(), { signal: new AbortController().signal, owner: null })
  return await signing.then(
    () => 'signed',
    (error: unknown) => error,
  )
}

async function tokenFile(content: string): Promise<string> {
  const file = path.join(folder, 'token')
  await writeFile(file, content)
  return file
}

/** Servers that repeat what they were sent, in every place that a client might look at. */
const ECHOES: readonly (readonly [string, (request: MockRequest, said: string) => Reply])[] = [
  ['as its message', (_, said) => ({ status: 400, type: 'application/json', body: JSON.stringify({ code: 3, message: said }) })],
  ['as text', (_, said) => ({ status: 401, body: said })],
  ['as an error of its own', (_, said) => ({ status: 500, body: said })],
  ['where it sends us', (_, said) => ({ status: 307, body: '', location: `http://127.0.0.1:1/${encodeURIComponent(said)}` })],
  ['as where an entry is', (_, said) => ({ status: 409, body: said, location: `/${encodeURIComponent(said)}` })],
  ['as its answer', (_, said) => ({ status: 201, body: said })],
  [
    'in JSON',
    (_, said) => ({ status: 201, type: 'application/json', body: JSON.stringify({ [said]: said, signedCertificateEmbeddedSct: said }) }),
  ],
  [
    'as a certificate',
    (_, said) => ({
      status: 201,
      type: 'application/json',
      body: JSON.stringify({
        signedCertificateEmbeddedSct: { chain: { certificates: [`-----BEGIN CERTIFICATE-----\n${said}\n-----END CERTIFICATE-----`] } },
      }),
    }),
  ],
  ['in JSON that is cut off', (_, said) => ({ status: 201, type: 'application/json', body: `{"${said}": "${said}` })],
]

describe.each<[MockService, 1 | 2]>([
  ['fulcio', 1],
  ['rekor1', 1],
  ['rekor2', 2],
  ['tsa', 2],
])('a %s that repeats the token', (service, version) => {
  it.each(ECHOES)('%s has it repeated nowhere', async (_, echo) => {
    mock.meddle(service, (request) => echo(request, `planted ${token} ${request.body.slice(0, 200)}`))
    const file = await tokenFile(token)
    const failure = await failureWith(version, { token: tokenFromFile(file) })
    mock.meddle(service, null)
    expect(failure).toBeInstanceOf(Failure)
    expect(failure).not.toHaveProperty('cause')
    expectClean(failure)
  })
})

describe('a token that is none', () => {
  it.each([
    ['cut off', (text: string) => text.slice(0, text.length / 2)],
    ['of two lines', (text: string) => `${text}\n${text}`],
    ['in quotes', (text: string) => `"${text}"`],
    ['with claims that are no JSON', () => `eyJhbGciOiJFUzI1NiJ9.${Buffer.from('{"planted":').toString('base64url')}.planted`],
    [
      'with claims of a wrong type',
      () => `eyJhbGciOiJFUzI1NiJ9.${Buffer.from('{"iss":{"planted":1},"exp":"planted"}').toString('base64url')}.planted`,
    ],
  ])('%s is repeated nowhere', async (_, spoil) => {
    const file = await tokenFile(spoil(token))
    const failure = await failureWith(1, { token: tokenFromFile(file) })
    expect(failure).toMatchObject({ code: 'identity-token-malformed' })
    expectClean(failure)
  })

  it('from an address that repeats its bearer has neither repeated', async () => {
    const bearer = path.join(folder, 'bearer')
    await writeFile(bearer, 'hunter2-planted')
    mock.meddle('issuer', ({ authorization }) => ({ status: 403, body: `${authorization} ${token}` }))
    const failure = await failureWith(1, { token: tokenFromUrl(mock.urls.issuer, { bearer, patience: QUICK }) })
    mock.meddle('issuer', null)
    expect(failure).toMatchObject({ code: 'identity-token-unreadable' })
    expectClean(failure, 'hunter2')
  })

  it('in a bearer that no header takes has nothing of it repeated', async () => {
    const bearer = path.join(folder, 'bearer')
    await writeFile(bearer, 'hunter2\nplanted')
    const failure = await failureWith(1, { token: tokenFromUrl(mock.urls.issuer, { bearer, patience: QUICK }) })
    expect(failure).toMatchObject({ code: 'identity-token-unreadable' })
    expectClean(failure, 'hunter2')
  })
})

it('what is signed shows the name and nothing of the token', async () => {
  const file = await tokenFile(token)
  const text = await mockSigner(mock, 1, { token: tokenFromFile(file) }).sign(statementBytes(), {
    signal: new AbortController().signal,
    owner: null,
  })
  expect(token.split('.').filter((part) => text.includes(part))).toEqual([])
})

it('would see a token if it were there', () => {
  expect(() => expectClean(new Failure({ code: 'x', message: 'x', hint: 'x', cause: new Error(token) }))).toThrow('to deeply equal')
  expect(() => expectClean(new Failure({ code: 'x', message: 'x', hint: 'x', data: { token: token.split('.')[1] } }))).toThrow(
    'to deeply equal',
  )
})
