import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { bundleFromJSON } from '@sigstore/bundle'
import { toSignedEntity, Verifier } from '@sigstore/verify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keySigner } from './key-signer.ts'
import { type MockSigstore, startMockSigstore } from './testing/mock-sigstore.ts'
import { trustedOf } from './testing/signers.ts'
import { statementBytes } from './testing/statement.ts'

let mock: MockSigstore
beforeAll(async () => {
  mock = await startMockSigstore()
})
afterAll(() => mock[Symbol.asyncDispose]())

const never = new AbortController().signal
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const spki = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' }))
const fingerprint = spki.copy().digest('hex')
const patience = { timeout: 20_000, retries: 1, retryDelay: 1 }

function verify(text: string, key = publicKey, timestampThreshold = 0): void {
  const material = { ...trustedOf(mock), publicKey: () => ({ publicKey: key, validFor: () => true }) }
  new Verifier(material, { tlogThreshold: 0, timestampThreshold }).verify(toSignedEntity(bundleFromJSON(JSON.parse(text))))
}

describe('a bundle that a key signed', () => {
  it('is one of version 0.3 with the key named in its hint and nowhere else, made without a network', async () => {
    const stages: string[] = []
    const text = await keySigner({ privateKeyPem }).sign(statementBytes(), {
      signal: never,
      owner: 'acme',
      onStage: (stage) => stages.push(stage),
    })
    verify(text)
    expect(() => verify(text, generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)).toThrow('signature verification failed')
    const bundle = JSON.parse(text)
    expect(bundle).toEqual({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint: spki.copy().digest('base64') }, timestampVerificationData: {} },
      dsseEnvelope: {
        payload: statementBytes().toString('base64'),
        payloadType: 'application/vnd.in-toto+json',
        signatures: [{ sig: bundle.dsseEnvelope.signatures[0].sig }],
      },
    })
    expect(stages).toEqual(['key'])
  })

  it('carries a timestamp where an authority is set', async () => {
    const stages: string[] = []
    const signer = keySigner({ privateKeyPem, tsa: mock.urls.tsa, trusted: trustedOf(mock), patience })
    const text = await signer.sign(statementBytes(), { signal: never, owner: null, onStage: (stage) => stages.push(stage) })
    verify(text, publicKey, 1)
    expect(stages).toEqual(['key', 'tsa'])
  })

  it('is none where the timestamp does not verify with the trusted root', async () => {
    await using other = await startMockSigstore()
    const signer = keySigner({ privateKeyPem, tsa: mock.urls.tsa, trusted: trustedOf(other), patience })
    await expect(signer.sign(statementBytes(), { signal: never, owner: null })).rejects.toMatchObject({ code: 'bundle-not-trusted' })
  })

  it('is none where the signing was given up before', async () => {
    const stages: string[] = []
    const signing = keySigner({ privateKeyPem }).sign(statementBytes(), {
      signal: AbortSignal.abort(),
      owner: null,
      onStage: (stage) => stages.push(stage),
    })
    await expect(signing).rejects.toMatchObject({ name: 'AbortError' })
    expect(stages).toEqual([])
  })
})

it('says who signs by fingerprint and public key', async () => {
  const identity = await keySigner({ privateKeyPem }).identity(never)
  expect(identity).toEqual({ kind: 'key', fingerprint, publicKey: publicKey.export({ type: 'spki', format: 'pem' }) })
  expect(identity.kind === 'key' && createPublicKey(identity.publicKey).equals(publicKey)).toBe(true)
})

it.each([fingerprint, `sha256:${fingerprint}`, fingerprint.toUpperCase()])('does not sign for its own owner %s', async (owner) => {
  await expect(keySigner({ privateKeyPem }).sign(statementBytes(), { signal: never, owner })).rejects.toMatchObject({
    code: 'signer-is-owner',
  })
})

it('refuses a key of another curve at once', () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  expect(() => keySigner({ privateKeyPem: other })).toThrow(expect.objectContaining({ code: 'key-unsupported' }))
})
