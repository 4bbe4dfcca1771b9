import { expect, it } from 'vitest'
import { overlapping } from '../../verifier/bytes/testing/overlapping.ts'
import { publicGoodSnapshot, publicGoodSnapshotBytes } from './public-good.ts'
import { parseTrustedRoot } from './trusted-root.ts'

const snapshot = () => JSON.parse(Buffer.from(publicGoodSnapshotBytes()).toString()) as Record<string, Record<string, unknown>[]>
const parse = (value: unknown) => parseTrustedRoot(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))

it('comes with the public-good instance, offline', () => {
  const { material } = publicGoodSnapshot()
  expect(material.tlogs.map(({ baseURL }) => baseURL)).toEqual(['https://rekor.sigstore.dev', 'https://log2025-1.rekor.sigstore.dev'])
  expect([material.certificateAuthorities.length, material.ctlogs.length, material.timestampAuthorities.length]).toEqual([2, 2, 1])
})

it('takes a root in which everything says since when it is valid, and no other', () => {
  const { tlogs: [first, ...others] = [], ...rest } = snapshot()
  const withValidity = (validFor: unknown) => ({
    ...rest,
    tlogs: [{ ...first, publicKey: { ...(first?.['publicKey'] as object), validFor } }, ...others],
  })
  const start = '2021-01-12T11:53:27Z'
  for (const good of [{ start }, { start, end: null }, { start, end: '2030-01-01T00:00:00.5+02:00' }])
    expect(parse(withValidity(good)).material.tlogs).toHaveLength(2)
  for (const bad of [undefined, null, {}, { end: start }, { start: 'long ago' }, { start: 0 }, { start, end: 'never' }])
    expect(() => parse(withValidity(bad))).toThrowError(expect.objectContaining({ code: 'trusted-root-malformed' }))
  const [authority, ...authorities] = rest['certificateAuthorities'] ?? []
  expect(() => parse({ ...snapshot(), certificateAuthorities: [{ ...authority, validFor: undefined }, ...authorities] })).toThrowError(
    expect.objectContaining({ code: 'trusted-root-malformed' }),
  )
})

it.each([
  ['nothing', ''],
  ['no JSON', '{'],
  ['a bundle', { mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json' }],
  ['no media type', { tlogs: [] }],
  ['lists that are none', { mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1', tlogs: {} }],
  ['a key twice', '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[],"tlogs":[]}'],
  [
    'a key that is none',
    {
      ...snapshot(),
      ctlogs: [{ ...snapshot()['ctlogs']?.[0], publicKey: { rawBytes: 'AAAA', validFor: { start: '2021-01-12T11:53:27Z' } } }],
    },
  ],
  [
    'a certificate that a parser would not come back from',
    {
      ...snapshot(),
      timestampAuthorities: [
        { ...snapshot()['timestampAuthorities']?.[0], certChain: { certificates: [{ rawBytes: overlapping().toString('base64') }] } },
      ],
    },
  ],
])('refuses %s', (_, value) => {
  expect(() => parse(value)).toThrowError(expect.objectContaining({ code: 'trusted-root-malformed' }))
})
