import { createPublicKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import { dsse } from '@sigstore/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keySigner } from './key-signer.ts'
import { checkBundle, type Made } from './self-check.ts'
import { type MockSigstore, startMockSigstore } from './testing/mock-sigstore.ts'
import { mockSigner, QUICK } from './testing/signers.ts'
import { statementBytes } from './testing/statement.ts'

// The bundle's own JSON, which the cases take apart.
type Json = { [key: string]: Json }

const o = { signal: new AbortController().signal, owner: null }
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = (key: Parameters<typeof createPublicKey>[0]): string => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
let mock: MockSigstore
let keyed: { bundle: string; made: Made }
let certified: { bundle: string; made: Made }
beforeAll(async () => {
  mock = await startMockSigstore()
  const statement = statementBytes()
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const bundle = await keySigner({ privateKeyPem, tsa: mock.urls.tsa, patience: QUICK }).sign(statement, o)
  keyed = { bundle, made: { statement, publicKeyPem: pem(privateKeyPem), logEntries: 0, timestamps: 1 } }
  const other = await mockSigner(mock, 1).sign(statement, o)
  const { rawBytes } = JSON.parse(other).verificationMaterial.certificate
  const publicKeyPem = new X509Certificate(Buffer.from(rawBytes, 'base64')).publicKey.export({ type: 'spki', format: 'pem' }).toString()
  certified = { bundle: other, made: { statement, publicKeyPem, logEntries: 1, timestamps: 1 } }
})
afterAll(() => mock[Symbol.asyncDispose]())

describe('a bundle', () => {
  it('that is as it was to be made passes', () => {
    expect(() => checkBundle(keyed.bundle, keyed.made)).not.toThrow()
    expect(() => checkBundle(certified.bundle, certified.made)).not.toThrow()
  })

  it.each<[string, (bundle: Json) => unknown]>([
    ['is of another version', (bundle) => Object.assign(bundle, { mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.2' })],
    ['says something else', ({ dsseEnvelope }) => Object.assign(dsseEnvelope ?? {}, { payload: Buffer.from('{}').toString('base64') })],
    ['is of another payload type', ({ dsseEnvelope }) => Object.assign(dsseEnvelope ?? {}, { payloadType: 'text/plain' })],
    ['has no signature', ({ dsseEnvelope }) => Object.assign(dsseEnvelope ?? {}, { signatures: [] })],
    [
      'has two signatures',
      ({ dsseEnvelope }) => Object.assign(dsseEnvelope ?? {}, { signatures: [0, 0].map((at) => dsseEnvelope?.['signatures']?.[at]) }),
    ],
    ['names its key in the envelope', ({ dsseEnvelope }) => Object.assign(dsseEnvelope?.['signatures']?.[0] ?? {}, { keyid: 'x' })],
    [
      'has another signature',
      ({ dsseEnvelope }) => Object.assign(dsseEnvelope?.['signatures']?.[0] ?? {}, { sig: Buffer.from('x').toString('base64') }),
    ],
    ['has lost its timestamp', ({ verificationMaterial }) => delete verificationMaterial?.['timestampVerificationData']],
    ['has nothing to verify it with', (bundle) => delete bundle['verificationMaterial']],
  ])('that %s is a defect', (_, change) => {
    for (const { bundle, made } of [keyed, certified]) {
      const changed = JSON.parse(bundle) as Json
      change(changed)
      expect(() => checkBundle(JSON.stringify(changed), made)).toThrow(expect.objectContaining({ code: 'bundle-self-check' }))
    }
  })

  it('that says something else, or says it as something else, is a defect although it verifies', async () => {
    const { bundle, made } = keyed
    expect(() => checkBundle(bundle, { ...made, statement: statementBytes('bitwitness:other/v1') })).toThrow(
      expect.objectContaining({ code: 'bundle-self-check' }),
    )
    const other = JSON.parse(bundle)
    const sig = sign('sha256', dsse.preAuthEncoding('text/plain', Buffer.from(made.statement)), privateKey).toString('base64')
    Object.assign(other.dsseEnvelope, { payloadType: 'text/plain', signatures: [{ sig }] })
    expect(() => checkBundle(JSON.stringify(other), made)).toThrow(expect.objectContaining({ code: 'bundle-self-check' }))
  })

  it('that another key signed is a defect', () => {
    expect(() => checkBundle(keyed.bundle, certified.made)).toThrow(expect.objectContaining({ code: 'bundle-self-check' }))
    const { bundle, made } = certified
    const { certificate } = JSON.parse(bundle).verificationMaterial
    const swapped = JSON.parse(keyed.bundle)
    delete swapped.verificationMaterial.publicKey
    swapped.verificationMaterial.certificate = certificate
    expect(() => checkBundle(JSON.stringify(swapped), keyed.made)).toThrow(expect.objectContaining({ code: 'bundle-self-check' }))
    expect(() => checkBundle(bundle, { ...made, logEntries: 2 })).toThrow(expect.objectContaining({ code: 'bundle-self-check' }))
  })
})
