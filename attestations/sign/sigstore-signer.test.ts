import { bundleFromJSON } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { PolicyError, toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Secret } from '../../verifier/model/secret.ts'
import { type SigstoreOptions, sigstoreSigner } from './sigstore-signer.ts'
import { type MockSigstore, startMockSigstore } from './testing/mock-sigstore.ts'
import { statementBytes } from './testing/statement.ts'

let mock: MockSigstore
beforeAll(async () => {
  mock = await startMockSigstore()
})
afterAll(() => mock[Symbol.asyncDispose]())

const never = new AbortController().signal
const patience = { timeout: 20_000, retries: 3, retryDelay: 1 }
const rekor1 = (): SigstoreOptions['log'] => ({ version: 1, rekor: mock.urls.rekor1, tsa: mock.urls.tsa })
const rekor2 = (): SigstoreOptions['log'] => ({ version: 2, rekor: mock.urls.rekor2, tsa: mock.urls.tsa })
const signer = (change: Partial<SigstoreOptions> = {}) =>
  sigstoreSigner({
    fulcio: mock.urls.fulcio,
    log: rekor1(),
    token: () => Promise.resolve(new Secret(mock.token())),
    patience,
    ...change,
  })

/** What a relying party does with the bundle, the whole identity included. */
function verify(text: string, name: string): void {
  const escaped = name.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  const material = toTrustMaterial(TrustedRoot.fromJSON(mock.trustedRoot))
  new Verifier(material).verify(toSignedEntity(bundleFromJSON(JSON.parse(text))), {
    subjectAlternativeName: new RegExp(`^${escaped}$`),
    extensions: { issuer: new URL('.', mock.urls.issuer).href.slice(0, -1) },
  })
}

describe('a keyless bundle', () => {
  it.each([
    ['Rekor v1 and a timestamp', rekor1, { kind: 'dsse', version: '0.0.1' }],
    ['Rekor v2 and a timestamp', rekor2, { kind: 'hashedrekord', version: '0.0.2' }],
  ])('with %s verifies with the trust root and the identity', async (_, log, kindVersion) => {
    const stages: string[] = []
    const text = await signer({ log: log() }).sign(statementBytes(), {
      signal: never,
      owner: null,
      onStage: (stage, ms) => stages.push(`${stage} ${ms >= 0}`),
    })
    verify(text, 'https://rebuilder.mock/a')
    expect(() => verify(text, 'https://rebuilder.mock')).toThrow(PolicyError)
    expect(stages).toEqual(['token true', 'fulcio true', 'tsa true', 'rekor true'])
    const bundle = JSON.parse(text)
    expect(bundle).toMatchObject({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { certificate: {}, tlogEntries: [{ kindVersion }], timestampVerificationData: { rfc3161Timestamps: [{}] } },
      dsseEnvelope: { payload: statementBytes().toString('base64'), payloadType: 'application/vnd.in-toto+json' },
    })
    // Protobuf's JSON leaves a blank keyid out.
    expect(bundle.dsseEnvelope.signatures.map((signature: object) => Object.keys(signature))).toEqual([['sig']])
  })

  it('with Rekor v1 needs no timestamp', async () => {
    const text = await signer({ log: { version: 1, rekor: mock.urls.rekor1, tsa: null } }).sign(statementBytes(), {
      signal: never,
      owner: null,
    })
    verify(text, 'https://rebuilder.mock/a')
    expect(JSON.parse(text).verificationMaterial.timestampVerificationData).toEqual({})
  })
})
