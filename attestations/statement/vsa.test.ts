import { describe, expect, it } from 'vitest'
import { digest } from '../testing/arbitrary-report.ts'
import { encodeStatement } from './encode.ts'
import { decision } from './testing/decision.ts'
import { vsaOf } from './vsa.ts'

describe('vsaOf', () => {
  it('says who decided what by which policy and on which evidence', () => {
    expect(vsaOf(decision({ tier: 'bit-exact' }))).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'image.tar.oci', digest: { sha256: digest('a') } }],
      predicateType: 'https://slsa.dev/verification_summary/v1',
      predicate: {
        verifier: { id: 'https://rebuild.example/gate', version: { bitwitness: '0.1.0' } },
        timeVerified: '2026-11-24T12:00:00.000Z',
        resourceUri: `oci://registry.example/app@sha256:${'a'.repeat(64)}`,
        policy: { uri: 'https://rebuild.example/policies/production.yaml', digest: { sha256: digest('b') } },
        inputAttestations: [{ uri: 'https://rebuild.example/v1/attestations/1', digest: { sha256: digest('c') } }],
        verificationResult: 'PASSED',
        verifiedLevels: ['BITWITNESS_REPRODUCED'],
      },
    })
  })

  it('gives a weaker tier another level, and a denial none', () => {
    expect(vsaOf(decision({ tier: 'content-equal' })).predicate.verifiedLevels).toEqual(['BITWITNESS_CONTENT_EQUAL'])
    expect(vsaOf(decision(null)).predicate).toMatchObject({ verificationResult: 'FAILED', verifiedLevels: ['FAILED'] })
  })

  it('is no pass without an attestation behind it', () => {
    const bare = vsaOf({ ...decision({ tier: 'bit-exact' }), inputAttestations: [] })
    expect(() => encodeStatement(bare)).toThrow(expect.objectContaining({ code: 'predicate-malformed' }))
    expect(() => encodeStatement(vsaOf({ ...decision(null), inputAttestations: [] }))).not.toThrow()
  })

  it.each([
    ['a level of SLSA’s', { verifiedLevels: ['SLSA_BUILD_LEVEL_3'] }],
    ['two levels', { verifiedLevels: ['BITWITNESS_REPRODUCED', 'BITWITNESS_CONTENT_EQUAL'] }],
    ['a level with a denial', { verificationResult: 'FAILED' }],
    ['a pass that says it failed', { verifiedLevels: ['FAILED'] }],
    ['a version of SLSA', { slsaVersion: '1.1' }],
    ['a time that is none', { timeVerified: 'yesterday' }],
    ['a resource that is no URI', { resourceUri: 'registry.example/app' }],
  ])('cannot be signed with %s', (_, change) => {
    const statement = vsaOf(decision({ tier: 'bit-exact' }))
    const changed = { ...statement, predicate: { ...statement.predicate, ...change } }
    expect(() => encodeStatement(changed)).toThrow(expect.objectContaining({ code: 'predicate-malformed' }))
  })
})
