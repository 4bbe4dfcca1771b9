import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayAppInfo, KmsBootInfo, readBootInfo } from './boot-info.ts'

const H32 = 'ab'.repeat(32)
const H20 = 'cd'.repeat(20)
const KMS = {
  teeVariant: 'dstack-tdx',
  mrAggregated: H32,
  osImageHash: H32,
  mrSystem: H32,
  appId: H20,
  composeHash: H32,
  instanceId: H20,
  deviceId: H32,
  keyProviderInfo: '7b7d',
  tcbStatus: 'UpToDate',
  advisoryIds: [],
}
const GATEWAY = {
  app_id: H20,
  compose_hash: H32,
  instance_id: H20,
  device_id: H32,
  mr_system: H32,
  mr_aggregated: H32,
  os_image_hash: H32,
  key_provider_info: '',
  init_script_hashes: null,
}
const BYTES: Readonly<Record<string, number>> = {
  mrAggregated: 32,
  osImageHash: 32,
  mrSystem: 32,
  appId: 20,
  composeHash: 32,
  instanceId: 20,
  deviceId: 32,
}

describe('what a KMS says of a guest', () => {
  it('is read with and without 0x, in any case, into one form', () => {
    const upper = Object.fromEntries(
      Object.entries(KMS).map(([key, value]) => [key, key in BYTES ? `0x${String(value).toUpperCase()}` : value]),
    )
    expect(KmsBootInfo.parse(upper)).toEqual(KmsBootInfo.parse(KMS))
    expect(KmsBootInfo.parse(KMS)).toEqual({
      by: 'kms',
      mrAggregated: H32,
      osImageHash: H32,
      mrSystem: H32,
      appId: H20,
      composeHash: H32,
      instanceId: H20,
      deviceId: H32,
      tcb: { status: 'UpToDate', advisories: [] },
    })
  })

  it('may lack what older ones lack, and have what later ones add', () => {
    const { teeVariant: _, keyProviderInfo: __, ...older } = KMS
    expect(KmsBootInfo.safeParse(older).success).toBe(true)
    expect(KmsBootInfo.safeParse({ ...KMS, ppid: 'x', nested: { a: 1 } }).success).toBe(true)
    expect(KmsBootInfo.parse({ ...KMS, instanceId: '' }).instanceId).toBe('')
    expect(KmsBootInfo.parse({ ...KMS, instanceId: '0x' }).instanceId).toBe('')
  })

  it('has exactly so many bytes, each of which counts', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(BYTES)),
        fc.integer({ min: 0, max: 80 }),
        fc.constantFrom('', '0x', '0X', ' '),
        (key, length, before) => {
          const value = `${before}${'a'.repeat(length)}`
          const { success } = KmsBootInfo.safeParse({ ...KMS, [key]: value })
          const right = (before === '' || before === '0x') && length === 2 * (BYTES[key] ?? 0)
          const empty = key === 'instanceId' && (value === '' || value === '0x')
          expect(success).toBe(right || empty)
        },
      ),
    )
  })

  it.each(Object.keys(KMS).filter((key) => !['teeVariant', 'keyProviderInfo'].includes(key)))(
    'is none without %s, or with another kind of value in its place',
    (key) => {
      for (const value of [undefined, null, 7, {}, [], true, 'g'.repeat(64), '\u0000']) {
        const { success } = KmsBootInfo.safeParse({ ...KMS, [key]: value })
        expect(success).toBe((key === 'tcbStatus' && typeof value === 'string') || (key === 'advisoryIds' && Array.isArray(value)))
      }
    },
  )
})

describe('what a gateway says of a guest', () => {
  it('is the same in other words, without the state of the platform', () => {
    const { tcb: _, by: __, ...same } = KmsBootInfo.parse(KMS)
    expect(GatewayAppInfo.parse(GATEWAY)).toEqual({ ...same, by: 'gateway', tcb: null })
    expect(GatewayAppInfo.safeParse({ ...GATEWAY, init_script_hashes: ['0xab'] }).success).toBe(true)
  })

  it('is not taken for what a KMS says, nor the other way round', () => {
    expect(KmsBootInfo.safeParse(GATEWAY).success).toBe(false)
    expect(GatewayAppInfo.safeParse(KMS).success).toBe(false)
    expect([readBootInfo(KMS).by, readBootInfo(GATEWAY).by]).toEqual(['kms', 'gateway'])
  })

  it.each(Object.keys(GATEWAY).filter((key) => key !== 'init_script_hashes'))('is none without %s', (key) => {
    expect(GatewayAppInfo.safeParse({ ...GATEWAY, [key]: undefined }).success).toBe(false)
    expect(GatewayAppInfo.safeParse({ ...GATEWAY, [key]: 'ab' }).success).toBe(key === 'key_provider_info')
  })
})

describe('what neither says', () => {
  it.each<[string, unknown, readonly string[]]>([
    ['of a KMS', { ...KMS, appId: 'ab', tcbStatus: undefined, other: 1 }, ['appId', 'tcbStatus']],
    ['of a gateway', { ...GATEWAY, compose_hash: H20 }, ['compose_hash']],
    [
      'of a KMS, with little else',
      { appId: H20, mrSystem: 1, composeHash: H32, osImageHash: H32, mrAggregated: H32, tcbStatus: 'x' },
      ['mrSystem', 'instanceId', 'deviceId', 'advisoryIds'],
    ],
    ['within a list', { ...KMS, advisoryIds: ['a', 7] }, ['advisoryIds']],
    ['no object', 'appId', []],
  ])('is told by the fields that are wrong: %s', (_, value, fields) => {
    try {
      readBootInfo(value)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'boot-info-malformed', data: { fields } })
      expect(String(error)).toContain(fields.join(', '))
    }
  })
})
