import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { stringify } from 'yaml'
import { publicGoodSnapshot } from '../../../attestations/verify/public-good.ts'
import { type BootInfo, KmsBootInfo } from '../gate/boot-info.ts'
import { BOOT, digest, POLICY } from '../gate/testing/passing.ts'
import { type GateAnswer, GateDesk, type GateDeskPorts } from './gate-desk.ts'
import { HeldBundles } from './held-bundles.ts'
import { KnownLints } from './known-lints.ts'
import { Policies } from './policies.ts'

const INFO: BootInfo = KmsBootInfo.parse(BOOT)
const LOADED = { name: 'production', policy: POLICY, sha256: digest('1') }

/** A database, and a disk with policies, that do not answer until they are let. */
class Silence {
  readonly database = Promise.withResolvers<never[]>()
  readonly disk = Promise.withResolvers<Buffer>()
  readonly troubles: string[] = []
  readonly desk: GateDesk

  constructor() {
    const silent = new Proxy({}, { get: () => () => this.database.promise })
    const blobs = { open: () => this.database.promise } as unknown as ConstructorParameters<typeof HeldBundles>[0]
    this.desk = new GateDesk({
      now: () => new Date(),
      trustedRoot: async () => publicGoodSnapshot(),
      lints: new KnownLints(blobs),
      bundles: new HeldBundles(blobs),
      reads: { composes: silent, attestations: silent } as GateDeskPorts['reads'],
      policies: new Policies({ read: () => this.disk.promise, names: async () => [] }),
      unitOfWork: {} as GateDeskPorts['unitOfWork'],
      events: { trouble: ({ where }) => void this.troubles.push(where) },
    })
  }
}

describe('where guests are asked about', () => {
  let silence: Silence
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    silence = new Silence()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('denies sooner than a gateway gives up, whatever does not answer', async () => {
    const policy = silence.desk.policy('production')
    await turn()
    vi.advanceTimersByTime(1000)
    expect([await policy, silence.troubles]).toEqual([null, ['gate']])
    const answer = silence.desk.ask('gateway', LOADED, INFO)
    await turn()
    vi.advanceTimersByTime(3500)
    expect(await answer).toEqual({ isAllowed: false, reason: 'it could not be found out in time', gatewayAppId: '', decided: false })
  })

  it('reads a policy for whoever asks later, though one read hangs', async () => {
    const hanging = silence.desk.policy('production')
    await turn()
    vi.advanceTimersByTime(1000)
    expect(await hanging).toBeNull()
    silence.disk.resolve(Buffer.from(stringify(POLICY)))
    expect(await silence.desk.policy('production')).toMatchObject({ policy: { name: 'production' } })
  })

  it('denies at once who comes beyond sixty-four, and nobody after those have their answers', async () => {
    const answers: Promise<GateAnswer>[] = Array.from({ length: 64 }, () => silence.desk.ask('kms-app', LOADED, INFO))
    expect(await silence.desk.ask('kms-app', LOADED, INFO)).toMatchObject({
      isAllowed: false,
      reason: 'too many questions at once: ask again',
    })
    silence.database.reject(new Error('connection to db.example refused'))
    expect(new Set((await Promise.all(answers)).map(({ reason }) => reason))).toEqual(new Set(['it could not be found out (internal)']))
    expect(await silence.desk.ask('kms-app', LOADED, INFO)).toMatchObject({
      isAllowed: false,
      reason: 'it could not be found out (internal)',
    })
  })

  it('answers of a KMS by the policy alone, whoever is away', async () => {
    const kms = { mrAggregated: [INFO.mrAggregated], osImages: [INFO.osImageHash], devices: 'any' as const }
    expect(await silence.desk.ask('kms-self', { ...LOADED, policy: { ...POLICY, kms } }, INFO)).toMatchObject({ isAllowed: true })
    const other = { ...kms, osImages: ['8'.repeat(64)] }
    expect(await silence.desk.ask('kms-self', { ...LOADED, policy: { ...POLICY, kms: other } }, INFO)).toMatchObject({
      isAllowed: false,
      reason: expect.stringContaining(INFO.osImageHash),
    })
  })
})
