import { describe, expect, it } from 'vitest'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { compareMrConfig } from './mr-config.ts'

const FACTS = {
  appId: '11'.repeat(20),
  composeHash: Sha256.parse('22'.repeat(32)),
  instanceId: '44'.repeat(20),
  keyProvider: JSON.stringify({ name: 'kms', id: '33'.repeat(32) }),
}
const id = (version: string, hash: string): string => `${version}${hash}`.padEnd(96, '0')
const FIRST = id('01', '22'.repeat(32))
const SECOND = id('02', '7f2ca741da9d356026ab20ca640abf06198829a128817b091bbc9aec1ed97b60')
const THIRD = id('03', '90e5cffa571b22c2ca846872d6fb7b071aa1346f1a1f87f72869c47b39d94099')
// As dstack's own test of it writes one.
const DOCUMENT = `{"app_id":"${'11'.repeat(20)}","compose_hash":"${'22'.repeat(32)}","gpu_policy_hash":"${'55'.repeat(32)}","instance_id":"${'44'.repeat(20)}","key_provider":"kms","key_provider_id":"${'33'.repeat(32)}","version":3}`

describe('the configuration id of a quote', () => {
  it.each([
    ['first', FIRST, null],
    ['second', SECOND, null],
    ['third', THIRD, DOCUMENT],
  ])('of the %s version is that of what was measured, and of nothing else', (_, mrConfigId, document) => {
    expect(compareMrConfig(mrConfigId, FACTS, document)).toBe('same')
    const other = { ...FACTS, composeHash: Sha256.parse('23'.repeat(32)) }
    expect(compareMrConfig(mrConfigId, other, document)).toBe('other')
    for (const at of [2, 40, 65, 66, 95])
      expect(
        compareMrConfig(`${mrConfigId.slice(0, at)}${mrConfigId[at] === '1' ? '2' : '1'}${mrConfigId.slice(at + 1)}`, FACTS, document),
      ).toBe('other')
  })

  it('of the second version is about app and key provider too', () => {
    expect(compareMrConfig(SECOND, { ...FACTS, appId: '12'.repeat(20) }, null)).toBe('other')
    for (const [keyProvider, answer] of [
      [JSON.stringify({ name: 'tpm', id: '33'.repeat(32) }), 'other'],
      [JSON.stringify({ name: 'kms', id: '' }), 'other'],
      [JSON.stringify({ name: 'constructor', id: '' }), 'no-key-provider'],
      ['{"name":"kms","name":"kms","id":""}', 'no-key-provider'],
      ['kms', 'no-key-provider'],
      [null, 'no-key-provider'],
    ] as const)
      expect(compareMrConfig(SECOND, { ...FACTS, keyProvider }, null)).toBe(answer)
  })

  it('of the third version is of a document, to the byte, that says the same', () => {
    expect(compareMrConfig(THIRD, FACTS, `${DOCUMENT} `)).toBe('other')
    expect(compareMrConfig(THIRD, FACTS, null)).toBe('no-document')
    expect(compareMrConfig(THIRD, { ...FACTS, instanceId: null }, DOCUMENT)).toBe('other')
  })

  it('can be none, or one that is not known', () => {
    expect(compareMrConfig(id('00', ''), FACTS, null)).toBe('none')
    expect(compareMrConfig(id('04', '22'.repeat(32)), FACTS, null)).toBe('unknown-form')
    expect(compareMrConfig(id('00', '22'.repeat(32)), FACTS, null)).toBe('unknown-form')
  })
})
