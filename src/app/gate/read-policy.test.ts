import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { Policy } from './policy.ts'
import { readPolicy } from './read-policy.ts'
import { APP_ID, digest, POLICY } from './testing/passing.ts'

const read = (value: object | string) => readPolicy(Buffer.from(typeof value === 'string' ? value : stringify(value)))
const messages = (value: object | string): string[] => read(value).problems.map(({ message }) => message)

describe('a policy', () => {
  it('is read as it was written, and known by its bytes', () => {
    const { policy, problems, sha256 } = read(POLICY)
    expect([policy, problems]).toEqual([POLICY, []])
    expect(read(`# the same\n${stringify(POLICY)}`).sha256).not.toBe(sha256)
  })

  it.each(Object.keys(Policy.shape))('without %s has a default that allows nothing, or is none', (key) => {
    const { policy } = read(Object.fromEntries(Object.entries(POLICY).filter(([name]) => name !== key)))
    const lenient = { apps: {}, osImages: {}, tcb: null, kms: null, gatewayAppId: null } as Record<string, unknown>
    if (key in lenient) expect(policy?.[key as keyof Policy]).toEqual(lenient[key])
    else expect(policy).toBeUndefined()
  })

  it.each([
    ['a key that is not known', { ...POLICY, allowAll: true }],
    ['a key that is not known within', { ...POLICY, indexes: { ...POLICY.indexes, any: true } }],
    ['no signer', { ...POLICY, signers: [] }],
    ['no source', { ...POLICY, sources: {} }],
    ['no image', { ...POLICY, images: {} }],
    ['no builder', { ...POLICY, builders: [] }],
    ['no tier', { ...POLICY, tiers: [] }],
    ['a tier that is to come', { ...POLICY, tiers: ['measurement-equal'] }],
    ['no suite', { ...POLICY, indexes: { ...POLICY.indexes, suites: [] } }],
    ['nothing that the linter denies', { ...POLICY, compose: { ...POLICY.compose, deny: [] } }],
    ['an age without end', { ...POLICY, attestations: { ...POLICY.attestations, maxAge: Number.POSITIVE_INFINITY } }],
    ['a negative age', { ...POLICY, attestations: { ...POLICY.attestations, maxAge: -1 } }],
    ['an id of an app that is too short', { ...POLICY, apps: { ab: POLICY.apps[APP_ID] } }],
    ['an id in capitals', { ...POLICY, apps: { [APP_ID.toUpperCase()]: POLICY.apps[APP_ID] } }],
    ['another version', { ...POLICY, policy: 'bitwitness/policy/v2' }],
    ['another mode', { ...POLICY, mode: 'off' }],
    ['an image of a source that is not there', { ...POLICY, images: { app: { source: 'other' } } }],
    ['an app with an image that is not there', { ...POLICY, images: { other: { source: 'app' } } }],
    ['a guest image of a source that is not there', { ...POLICY, osImages: { [digest('1')]: { source: 'other' } } }],
    ['a key that is none', { ...POLICY, signers: [{ key: 'none' }] }],
    [
      'a private key',
      {
        ...POLICY,
        signers: [{ key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) }],
      },
    ],
    ['a key twice', `${stringify(POLICY)}mode: observe\n`],
    ['an alias', `${stringify(POLICY)}x: &a 1\n`],
    ['nothing', ''],
    ['no YAML', ': ['],
  ])('with %s is none', (_, value) => {
    expect(read(value).policy).toBeUndefined()
    expect(messages(value).length).toBeGreaterThan(0)
  })

  it('with a public key is one', () => {
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' })
    expect(read({ ...POLICY, signers: [{ key }] }).problems).toEqual([])
  })

  it('that is no text, or without end, is none', () => {
    expect(readPolicy(Uint8Array.of(0xff)).policy).toBeUndefined()
    expect(readPolicy(Buffer.alloc((1 << 20) + 1, '#')).policy).toBeUndefined()
  })
})
