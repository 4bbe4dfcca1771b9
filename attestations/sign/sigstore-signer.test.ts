import { bundleFromJSON } from '@sigstore/bundle'
import { PolicyError, toSignedEntity, Verifier } from '@sigstore/verify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Secret } from '../../verifier/model/secret.ts'
import { identityOfCertificate } from './certificate-identity.ts'
import { type MockSigstore, startMockSigstore } from './testing/mock-sigstore.ts'
import { mockSigner, trustedOf } from './testing/signers.ts'
import { statementBytes } from './testing/statement.ts'

let mock: MockSigstore
beforeAll(async () => {
  mock = await startMockSigstore()
})
afterAll(() => mock[Symbol.asyncDispose]())

const never = new AbortController().signal

/** What a relying party does with the bundle, the whole identity included. */
function verify(text: string, name: string): void {
  const escaped = name.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  new Verifier(trustedOf(mock)).verify(toSignedEntity(bundleFromJSON(JSON.parse(text))), {
    subjectAlternativeName: new RegExp(`^${escaped}$`),
    extensions: { issuer: new URL('.', mock.urls.issuer).href.slice(0, -1) },
  })
}

describe('a keyless bundle', () => {
  it.each([
    [1, { kind: 'dsse', version: '0.0.1' }],
    [2, { kind: 'hashedrekord', version: '0.0.2' }],
  ] as const)('with Rekor v%d and a timestamp verifies with the trust root and the identity', async (version, kindVersion) => {
    const stages: string[] = []
    const onStage = (stage: string, ms: number): unknown => stages.push(`${stage} ${ms >= 0}`)
    const text = await mockSigner(mock, version).sign(statementBytes(), { signal: never, owner: null, onStage })
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
    const log = { version: 1, rekor: mock.urls.rekor1, tsa: null } as const
    const text = await mockSigner(mock, 1, { log }).sign(statementBytes(), { signal: never, owner: null })
    verify(text, 'https://rebuilder.mock/a')
    expect(JSON.parse(text).verificationMaterial.timestampVerificationData).toEqual({})
  })
})

describe('who is expected to sign', () => {
  it.each([
    [{ sub: 'https://rebuilder.mock/b' }, 'https://rebuilder.mock/b'],
    [{ email: 'rebuilder@mail.example', email_verified: true }, 'rebuilder@mail.example'],
    [
      { sub: 'repo:acme/rebuilder:ref:refs/heads/main', job_workflow_ref: 'acme/rebuilder/.github/workflows/r.yml@refs/heads/main' },
      'https://github.com/acme/rebuilder/.github/workflows/r.yml@refs/heads/main',
    ],
  ])('is named by the token as Fulcio names it, %j', async (claims, name) => {
    const signer = mockSigner(mock, 1, { token: () => Promise.resolve(new Secret(mock.token(claims))) })
    const issuer = new URL('.', mock.urls.issuer).href.slice(0, -1)
    expect(await signer.identity(never)).toEqual({ kind: 'sigstore', issuer, subjectAlternativeName: name })
    const { verificationMaterial } = JSON.parse(await signer.sign(statementBytes(), { signal: never, owner: null }))
    const certified = identityOfCertificate(Buffer.from(verificationMaterial.certificate.rawBytes, 'base64'))
    expect(certified).toMatchObject({ issuer, subjectAlternativeName: name })
  })
})
