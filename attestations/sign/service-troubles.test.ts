import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Secret } from '../../verifier/model/secret.ts'
import { identityOfCertificate } from './certificate-identity.ts'
import type { SigstoreOptions } from './sigstore-signer.ts'
import type { Reply } from './testing/mock-reply.ts'
import { type MockService, type MockSigstore, startMockSigstore } from './testing/mock-sigstore.ts'
import { mockSigner, QUICK } from './testing/signers.ts'
import { statementBytes } from './testing/statement.ts'

let mock: MockSigstore
beforeEach(async () => {
  mock = await startMockSigstore()
})
afterEach(() => mock[Symbol.asyncDispose]())

const never = new AbortController().signal
/** A server, the version of the log in whose company it is asked, and the name that its failures carry. */
const SERVERS: readonly (readonly [MockService, 1 | 2, string])[] = [
  ['fulcio', 1, 'fulcio'],
  ['rekor1', 1, 'rekor'],
  ['rekor2', 2, 'rekor'],
  ['tsa', 2, 'tsa'],
]

const sign = (version: 1 | 2, change: Partial<SigstoreOptions> = {}): Promise<string> =>
  mockSigner(mock, version, change).sign(statementBytes(), { signal: never, owner: null })
const failureOf = (signing: Promise<string>): Promise<unknown> =>
  signing.then(
    () => 'signed',
    (error: unknown) => error,
  )
const asked = (service: MockService): number => mock.requests.filter((request) => request.service === service).length
const cut = (reply: Reply): Reply =>
  typeof reply === 'string' ? reply : { ...reply, body: Buffer.from(reply.body).subarray(0, reply.body.length / 2) }

describe.each(SERVERS)('%s beside a log of version %d', (service, version, name) => {
  it.each([400, 401, 403, 404])('that refuses by %d is asked once', async (status) => {
    mock.meddle(service, () => ({ status, body: '{"message":"planted"}', type: 'application/json' }))
    expect(await failureOf(sign(version))).toMatchObject({ code: `${name}-refused`, retryable: false, data: { status, errno: null } })
    expect(asked(service)).toBe(1)
  })

  it.each([302, 307, 308])('that sends us elsewhere by %d is not followed', async (status) => {
    mock.meddle(service, () => ({ status, body: '', location: mock.urls.issuer.href }))
    expect(await failureOf(sign(version))).toMatchObject({ code: `${name}-refused`, retryable: false })
    expect([asked(service), asked('issuer')]).toEqual([1, 0])
  })

  it.each([500, 503, 429, 408])('that answers %d three times and then well is forgiven', async (status) => {
    mock.meddle(service, async ({ count }, honest) => (count <= 3 ? { status, body: 'planted' } : await honest()))
    expect(JSON.parse(await sign(version))).toHaveProperty('dsseEnvelope')
    expect(asked(service)).toBe(4)
  })

  it('that answers 503 and nothing else is given up after four times', async () => {
    mock.meddle(service, () => ({ status: 503, body: 'planted' }))
    expect(await failureOf(sign(version))).toMatchObject({ code: `${name}-failed`, retryable: true, data: { status: 503 } })
    expect(asked(service)).toBe(4)
  })

  it('whose connection breaks off three times is forgiven, and after four given up', async () => {
    mock.meddle(service, async ({ count }, honest) => (count <= 3 ? 'reset' : await honest()))
    expect(JSON.parse(await sign(version))).toHaveProperty('dsseEnvelope')
    mock.meddle(service, () => 'reset')
    expect(await failureOf(sign(version))).toMatchObject({ code: `${name}-unreachable`, retryable: true })
    expect(asked(service)).toBe(8)
  })

  it('that never answers is given up after the time that was given, without asking again', async () => {
    mock.meddle(service, () => 'hang')
    const patience = { ...QUICK, timeout: 3000 }
    expect(await failureOf(sign(version, { patience }))).toMatchObject({ code: `${name}-timeout`, retryable: true })
    expect(asked(service)).toBe(1)
  })

  it('that never answers keeps nobody who wants to stop', { timeout: 30_000 }, async () => {
    const controller = new AbortController()
    mock.meddle(service, () => {
      setTimeout(() => controller.abort(), 20)
      return 'hang'
    })
    const patience = { ...QUICK, timeout: 600_000 }
    const signing = mockSigner(mock, version, { patience }).sign(statementBytes(), { signal: controller.signal, owner: null })
    await expect(signing).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('that is not well keeps nobody who wants to stop before the next try', { timeout: 30_000 }, async () => {
    const controller = new AbortController()
    mock.meddle(service, () => {
      setTimeout(() => controller.abort(), 20)
      return { status: 500, body: '' }
    })
    const patience = { ...QUICK, retryDelay: 600_000 }
    const signing = mockSigner(mock, version, { patience }).sign(statementBytes(), { signal: controller.signal, owner: null })
    await expect(signing).rejects.toMatchObject({ name: 'AbortError' })
    expect(asked(service)).toBe(1)
  })

  it.each<[string, (reply: Reply) => Reply]>([
    ['cut off', cut],
    ['empty', () => ({ status: 201, body: '' })],
    ['of another kind', () => ({ status: 201, body: '{}', type: 'application/json' })],
    ['not UTF-8', () => ({ status: 201, body: Buffer.of(0x22, 0xff, 0x22), type: 'application/json' })],
    [
      'longer than any should be',
      (reply) =>
        typeof reply === 'string' ? reply : { ...reply, body: Buffer.concat([Buffer.from(reply.body), Buffer.alloc(2 << 20, ' ')]) },
    ],
    ['a success without what was asked for', () => ({ status: 202, body: '' })],
  ])('whose answer is %s gives no bundle', async (_, change) => {
    mock.meddle(service, async (__, honest) => change(await honest()))
    expect(await failureOf(sign(version))).toMatchObject({ code: `${name}-malformed`, retryable: true })
    expect(asked(service)).toBe(1)
  })

  it('that nobody listens for cannot be reached', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const url = new URL(`http://127.0.0.1:${(closed.address() as AddressInfo).port}/`)
    closed.close()
    await once(closed, 'close')
    const { rekor1, rekor2, tsa } = mock.urls
    const change: Record<MockService, Partial<SigstoreOptions>> = {
      issuer: {},
      fulcio: { fulcio: url },
      rekor1: { log: { version: 1, rekor: url, tsa } },
      rekor2: { log: { version: 2, rekor: url, tsa } },
      tsa: { log: { version, rekor: version === 1 ? rekor1 : rekor2, tsa: url } },
    }
    expect(await failureOf(sign(version, change[service]))).toMatchObject({ code: `${name}-unreachable`, data: { errno: 'ECONNREFUSED' } })
  })
})

it('logs nothing that could not be timestamped', async () => {
  mock.meddle('tsa', () => ({ status: 503, body: '' }))
  expect(await failureOf(sign(1))).toMatchObject({ code: 'tsa-failed' })
  expect([asked('fulcio'), asked('rekor1')]).toEqual([1, 0])
})

it('takes an entry that an answer was lost of, by its name and from where the log is', async () => {
  mock.meddle('rekor1', async ({ method, count }, honest) => {
    const reply = await honest()
    if (count === 1) return { status: 502, body: 'lost on the way' }
    if (method !== 'POST' || typeof reply === 'string') return reply
    expect(reply.status).toBe(409)
    return { ...reply, location: `https://elsewhere.example${reply.location}` }
  })
  expect(JSON.parse(await sign(1))).toHaveProperty('dsseEnvelope')
  expect(mock.requests.filter(({ service }) => service === 'rekor1').map(({ method }) => method)).toEqual(['POST', 'POST', 'GET'])
})

it('is told by Rekor v2 of an entry that an answer was lost of, and that signing again helps', async () => {
  const statuses: unknown[] = []
  mock.meddle('rekor2', async ({ count }, honest) => {
    const reply = await honest()
    statuses.push(typeof reply === 'string' ? reply : reply.status)
    return count === 1 ? { status: 502, body: 'lost on the way' } : reply
  })
  expect(await failureOf(sign(2))).toMatchObject({ code: 'rekor-failed', retryable: true, data: { status: 409 } })
  expect(statuses).toEqual([201, 409])
  expect(JSON.parse(await sign(2))).toHaveProperty('dsseEnvelope')
})

it.each([undefined, '/api/v1/log/entries/', '/api/v1/log/entries/../../../issuer/token'])(
  'takes no entry that is there already and has no name (%s)',
  async (location) => {
    mock.meddle('rekor1', () => ({ status: 409, body: 'planted', ...(location === undefined ? {} : { location }) }))
    expect(await failureOf(sign(1))).toMatchObject({ code: 'rekor-malformed' })
    expect([asked('rekor1'), asked('issuer')]).toEqual([1, 0])
  },
)

it('signs with the token that is there at each signing', async () => {
  const tokens = ['https://rebuilder.mock/first', 'https://rebuilder.mock/second'].map((sub) => mock.token({ sub }))
  const signer = mockSigner(mock, 2, { token: () => Promise.resolve(new Secret(tokens.shift() ?? '')) })
  const names: unknown[] = []
  for (let time = 0; time < 2; time += 1) {
    const bundle = JSON.parse(await signer.sign(statementBytes(), { signal: never, owner: null }))
    names.push(identityOfCertificate(Buffer.from(bundle.verificationMaterial.certificate.rawBytes, 'base64'))?.subjectAlternativeName)
  }
  expect(names).toEqual(['https://rebuilder.mock/first', 'https://rebuilder.mock/second'])
  expect(await failureOf(signer.sign(statementBytes(), { signal: never, owner: null }))).toMatchObject({ code: 'identity-token-malformed' })
})

it('asks Fulcio nothing with a token that has expired', async () => {
  const token = mock.token({ exp: Math.floor(Date.now() / 1000) - 100 })
  expect(await failureOf(sign(2, { token: () => Promise.resolve(new Secret(token)) }))).toMatchObject({ code: 'identity-token-expired' })
  expect(mock.requests).toEqual([])
})

it('asks nobody for anything where it was given up before', async () => {
  let tokens = 0
  const token = (): Promise<Secret> => {
    tokens += 1
    return Promise.resolve(new Secret(mock.token()))
  }
  const signer = mockSigner(mock, 1, { token })
  const signal = AbortSignal.abort()
  await expect(signer.sign(statementBytes(), { signal, owner: null })).rejects.toMatchObject({ name: 'AbortError' })
  await expect(signer.identity(signal)).rejects.toMatchObject({ name: 'AbortError' })
  expect([tokens, mock.requests]).toEqual([0, []])
})
