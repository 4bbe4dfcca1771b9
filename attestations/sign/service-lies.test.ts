import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { initializeCA, initializeTSA, tsaHandler } from '@sigstore/mock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { overlapping } from '../../verifier/bytes/testing/overlapping.ts'
import { Secret } from '../../verifier/model/secret.ts'
import type { SigstoreOptions } from './sigstore-signer.ts'
import type { Reply } from './testing/mock-reply.ts'
import { type MockService, type MockSigstore, startMockSigstore } from './testing/mock-sigstore.ts'
import { mockSigner, trustedOf } from './testing/signers.ts'
import { statementBytes } from './testing/statement.ts'

let mock: MockSigstore
beforeEach(async () => {
  mock = await startMockSigstore()
})
afterEach(() => mock[Symbol.asyncDispose]())

const never = new AbortController().signal
const sign = (version: 1 | 2, statement = statementBytes(), change: Partial<SigstoreOptions> = {}): Promise<string> =>
  mockSigner(mock, version, change).sign(statement, { signal: never, owner: null })
const failureOf = (signing: Promise<string>): Promise<unknown> =>
  signing.then(
    () => 'signed',
    (error: unknown) => error,
  )

/** From the second request on a server gives the answer to the first. */
function repeat(service: MockService): void {
  let first: Promise<Reply> | undefined
  mock.meddle(service, async (_, honest) => {
    first ??= honest()
    return await first
  })
}

/** A server changes its JSON. */
function change(service: MockService, edit: (answer: Json) => void): void {
  mock.meddle(service, async (_, honest) => {
    const reply = await honest()
    if (typeof reply === 'string') return reply
    const answer = JSON.parse(reply.body.toString()) as Json
    edit(answer)
    return { ...reply, body: JSON.stringify(answer) }
  })
}
type Json = { [key: string]: Json }

/** Of Rekor v1, the entry; the log's own record in it is edited as JSON. */
const editBody = (edit: (body: Json) => void) => (answer: Json) => {
  const entry = 'canonicalizedBody' in answer ? answer : Object.values(answer)[0]
  const key = 'canonicalizedBody' in answer ? 'canonicalizedBody' : 'body'
  const body = JSON.parse(Buffer.from(entry?.[key] as unknown as string, 'base64').toString()) as Json
  edit(body)
  Object.assign(entry ?? {}, { [key]: Buffer.from(JSON.stringify(body)).toString('base64') })
}

describe('a server that answers for something else gives no bundle', () => {
  it.each<[string, MockService, 1 | 2, string]>([
    ['a certificate of another key', 'fulcio', 1, 'fulcio-wrong'],
    ['an entry for another artifact', 'rekor1', 1, 'rekor-wrong'],
    ['an entry for another artifact', 'rekor2', 2, 'rekor-wrong'],
    ['a timestamp of another signature', 'tsa', 2, 'tsa-wrong'],
  ])('%s, by %s', async (_, service, version, code) => {
    repeat(service)
    expect(JSON.parse(await sign(version, statementBytes('bitwitness:other/v1')))).toHaveProperty('dsseEnvelope')
    expect(await failureOf(sign(version))).toMatchObject({ code, retryable: false })
  })

  it.each<['rekor1' | 'rekor2', 1 | 2]>([
    ['rekor1', 1],
    ['rekor2', 2],
  ])('an entry for an earlier signature of the same artifact, by %s', async (service, version) => {
    repeat(service)
    await sign(version)
    expect(await failureOf(sign(version))).toMatchObject({ code: 'rekor-wrong' })
  })

  const other = Buffer.from('another').toString('base64')
  it.each<[string, (body: Json) => void]>([
    ['payload', (body) => Object.assign(body['spec']?.['payloadHash'] ?? {}, { value: 'ab'.repeat(32) })],
    ['signature', (body) => Object.assign(body['spec']?.['signatures']?.[0] ?? {}, { signature: other })],
    ['certificate', (body) => Object.assign(body['spec']?.['signatures']?.[0] ?? {}, { verifier: other })],
  ])('an entry of Rekor v1 with another %s', async (_, edit) => {
    change('rekor1', editBody(edit))
    expect(await failureOf(sign(1))).toMatchObject({ code: 'rekor-wrong' })
  })

  const logged = (body: Json): Json => body['spec']?.['hashedRekordV002'] ?? {}
  it.each<[string, (body: Json) => void]>([
    ['digest', (body) => Object.assign(logged(body)['data'] ?? {}, { digest: other })],
    ['signature', (body) => Object.assign(logged(body)['signature'] ?? {}, { content: other })],
    ['certificate', (body) => Object.assign(logged(body)['signature']?.['verifier']?.['x509Certificate'] ?? {}, { rawBytes: other })],
  ])('an entry of Rekor v2 with another %s', async (_, edit) => {
    change('rekor2', editBody(edit))
    expect(await failureOf(sign(2))).toMatchObject({ code: 'rekor-wrong' })
  })

  it.each<[string, 'rekor1' | 'rekor2', (answer: Json) => void]>([
    ['no proof', 'rekor1', (answer) => delete Object.values(answer)[0]?.['verification']?.['inclusionProof']],
    ['no promise', 'rekor1', (answer) => delete Object.values(answer)[0]?.['verification']?.['signedEntryTimestamp']],
    ['another kind', 'rekor1', editBody((body) => Object.assign(body, { kind: 'intoto' }))],
    [
      'two signatures',
      'rekor1',
      editBody((body) =>
        Object.assign(body['spec'] ?? {}, { signatures: [body['spec']?.['signatures']?.[0], body['spec']?.['signatures']?.[0]] }),
      ),
    ],
    ['a second entry', 'rekor1', (answer) => Object.assign(answer, { f00: Object.values(answer)[0] })],
    ['no proof', 'rekor2', (answer) => delete answer['inclusionProof']],
    ['another kind', 'rekor2', (answer) => Object.assign(answer['kindVersion'] ?? {}, { kind: 'dsse' })],
    ['another kind in its record', 'rekor2', editBody((body) => Object.assign(body, { kind: 'dsse' }))],
  ])('an entry with %s, by %s', async (_, service, edit) => {
    change(service, edit)
    expect(await failureOf(sign(service === 'rekor1' ? 1 : 2))).toMatchObject({ code: 'rekor-malformed' })
  })

  it('a certificate without issuer', async () => {
    const ca = await initializeCA(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
    mock.meddle('fulcio', async ({ body }) => {
      const { publicKeyRequest } = JSON.parse(body) as { publicKeyRequest: { publicKey: { content: string } } }
      const publicKey = createPublicKey(publicKeyRequest.publicKey.content).export({ type: 'spki', format: 'der' })
      const { buffer, byteOffset, byteLength } = await ca.issueCertificate({ publicKey, subjectAltName: 'https://rebuilder.mock/a' })
      const certificate = new X509Certificate(Buffer.from(buffer, byteOffset, byteLength)).toString()
      return { status: 201, body: JSON.stringify({ signedCertificateDetachedSct: { chain: { certificates: [certificate] } } }) }
    })
    expect(await failureOf(sign(1))).toMatchObject({ code: 'fulcio-wrong' })
  })

  it('a timestamp that was refused', async () => {
    mock.meddle('tsa', async (_, honest) => {
      const reply = await honest()
      if (typeof reply === 'string') return reply
      // TimeStampResp begins with a status, SEQUENCE { INTEGER }: RFC 3161 section 2.4.2.
      const der = Buffer.from(reply.body)
      const status = der.indexOf(Buffer.from('3003020100', 'hex'))
      der[status + 4] = 2
      return { ...reply, body: der }
    })
    expect(await failureOf(sign(2))).toMatchObject({ code: 'tsa-malformed' })
    for (const body of [Buffer.from('30053003020102', 'hex'), overlapping()]) {
      mock.meddle('tsa', () => ({ status: 200, body }))
      expect(await failureOf(sign(2))).toMatchObject({ code: 'tsa-malformed' })
    }
  })

  it('a timestamp or an entry of a time when the certificate was not valid', async () => {
    const clock = new Date('2020-01-01T00:00:00Z')
    const late = tsaHandler(await initializeTSA(generateKeyPairSync('ec', { namedCurve: 'P-256' }), clock))
    mock.meddle('tsa', async ({ body }) => {
      const { statusCode, response } = await late.fn(body)
      return { status: statusCode, body: response as Uint8Array }
    })
    expect(await failureOf(sign(2))).toMatchObject({ code: 'signing-time-outside', retryable: true })
    mock.meddle('tsa', null)
    change('rekor1', (answer) => Object.assign(Object.values(answer)[0] ?? {}, { integratedTime: 1_577_836_800 }))
    expect(await failureOf(sign(1))).toMatchObject({ code: 'signing-time-outside' })
  })
})

describe('with a trusted root', () => {
  it('servers of another root give no bundle', async () => {
    await using other = await startMockSigstore()
    const trusted = trustedOf(other)
    for (const version of [1, 2] as const)
      expect(await failureOf(sign(version, statementBytes(), { trusted }))).toMatchObject({ code: 'bundle-not-trusted' })
  })

  it.each<[string, 'rekor1' | 'rekor2', (answer: Json) => void]>([
    ['a root hash that is not signed', 'rekor2', (answer) => editCheckpoint(answer['inclusionProof'])],
    [
      'a promise of another time',
      'rekor1',
      (answer) => Object.assign(Object.values(answer)[0] ?? {}, { integratedTime: Math.floor(Date.now() / 1000) + 30 }),
    ],
  ])('a log that gives %s gives no bundle', async (_, service, edit) => {
    const version = service === 'rekor1' ? 1 : 2
    change(service, edit)
    expect(JSON.parse(await sign(version))).toHaveProperty('dsseEnvelope')
    expect(await failureOf(sign(version, statementBytes(), { trusted: trustedOf(mock) }))).toMatchObject({
      code: 'bundle-not-trusted',
    })
  })

  it('every entry of a growing log verifies', async () => {
    const trusted = trustedOf(mock)
    const indexes: string[] = []
    for (let size = 2; size <= 10; size += 1)
      indexes.push(JSON.parse(await sign(2, statementBytes(), { trusted })).verificationMaterial.tlogEntries[0].logIndex)
    expect(indexes).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9'])
  })
})

function editCheckpoint(proof: Json | undefined): void {
  const envelope = proof?.['checkpoint']?.['envelope'] as unknown as string
  Object.assign(proof?.['checkpoint'] ?? {}, { envelope: envelope.replace(/\n[^\n]{44}\n/, `\n${Buffer.alloc(32).toString('base64')}\n`) })
}

describe('the owner of the source', () => {
  const repository = 'acme/rebuilder'
  const claims = {
    sub: `repo:${repository}:ref:refs/heads/main`,
    repository,
    job_workflow_ref: `${repository}/.github/workflows/x.yml@refs/heads/main`,
  }
  const signing = (owner: string | null, url: string | null) =>
    mockSigner(mock, 1, { token: () => Promise.resolve(new Secret(mock.token(claims))) }).sign(statementBytes(), {
      signal: never,
      owner,
      repository: url,
    })

  it('does not sign, and no certificate tells of it where the token does already', async () => {
    for (const [owner, url] of [
      ['acme', null],
      [null, 'https://github.com/acme/app.git'],
    ] as const)
      expect(await failureOf(signing(owner, url))).toMatchObject({ code: 'signer-is-owner', retryable: false })
    expect(mock.requests).toEqual([])
    expect(JSON.parse(await signing('somebody', 'https://github.com/somebody/app.git'))).toHaveProperty('dsseEnvelope')
  })

  it('does not sign where only the certificate tells', async () => {
    // To us the token says no repository, and the certificate does.
    mock.meddle('fulcio', async (request, honest) => {
      const { publicKeyRequest } = JSON.parse(request.body) as { publicKeyRequest: object }
      const oidcIdentityToken = mock.token({ ...claims, sub: 'https://rebuilder.mock/a' })
      return await honest({ ...request, body: JSON.stringify({ publicKeyRequest, credentials: { oidcIdentityToken } }) })
    })
    const signer = mockSigner(mock, 1)
    for (const owner of ['https://github.com/acme', 'acme'])
      expect(await failureOf(signer.sign(statementBytes(), { signal: never, owner }))).toMatchObject({ code: 'signer-is-owner' })
    expect(mock.requests.map(({ service }) => service)).toEqual(['fulcio', 'fulcio'])
    expect(JSON.parse(await signer.sign(statementBytes(), { signal: never, owner: 'somebody' }))).toHaveProperty('dsseEnvelope')
  })
})
