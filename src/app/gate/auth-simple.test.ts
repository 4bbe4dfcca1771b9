import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AuthSimple, authSimple } from './auth-simple.ts'
import { decideGate } from './decide-gate.ts'
import { judgedOsImages } from './judged-os-images.ts'
import { Policy } from './policy.ts'
import { APP_ID, COMPOSE_HASH, digest, FACTS, POLICY } from './testing/passing.ts'

const NOW = FACTS.now
const loaded = (change: object = {}) => ({ policy: Policy.parse({ ...POLICY, ...change }), sha256: digest('5') })
const exported = async (change: object = {}, facts = FACTS) => {
  const policy = loaded(change)
  const osImages = await judgedOsImages(policy, NOW, async () => [])
  return authSimple(policy.policy, { apps: [decideGate(policy, { ...facts, guest: null })], osImages })
}

/** How such a server answers about an app, as its source reads: every list is a condition of its own, and a list of devices that is empty is none. */
function answers(
  file: AuthSimple,
  boot: { osImage: string; app: string; compose: string; device: string; tcb: string; advisories: readonly string[] },
): boolean {
  const same = (text: string): string => `0x${text.toLowerCase().replace(/^0x/, '')}`
  const among = (list: readonly string[], text: string): boolean => list.map(same).includes(same(text))
  const app = Object.entries(file.apps).find(([id]) => same(id) === same(boot.app))?.[1]
  if (!file.allowedTcbStatuses.includes(boot.tcb)) return false
  if (!boot.advisories.every((one) => file.allowedAdvisoryIds.includes(one))) return false
  if (!among(file.osImages, boot.osImage) || app === undefined || !among(app.composeHashes, boot.compose)) return false
  return app.allowAnyDevice || app.devices.length === 0 || among(app.devices, boot.device)
}

describe('the allowlist of auth-simple', () => {
  it('has what the policy allows, in the form that the server reads', async () => {
    const kms = { mrAggregated: [digest('7')], osImages: [digest('d')], devices: [digest('3')] }
    const { document, left } = await exported({ kms, gatewayAppId: 'ef'.repeat(20) })
    expect(document).toEqual({
      osImages: [`0x${digest('d')}`],
      allowedTcbStatuses: ['UpToDate'],
      allowedAdvisoryIds: [],
      gatewayAppId: `0x${'ef'.repeat(20)}`,
      kms: { mrAggregated: [`0x${digest('7')}`], devices: [`0x${digest('3')}`], allowAnyDevice: false },
      apps: { [`0x${APP_ID}`]: { composeHashes: [`0x${COMPOSE_HASH}`], devices: [], allowAnyDevice: true } },
    })
    expect(AuthSimple.parse(document)).toEqual(document)
    expect(left).toEqual([])
  })

  it('leaves out what is denied, and says so', async () => {
    const other = { osImages: { [digest('d')]: { pinned: 'by hand' }, [digest('e')]: { source: 'app' } } }
    const { document, left } = await exported(other, { ...FACTS, images: [] })
    expect(document).toMatchObject({
      osImages: [`0x${digest('d')}`],
      apps: {},
      kms: { mrAggregated: [], devices: [], allowAnyDevice: false },
    })
    expect(left).toEqual([
      `guest image ${digest('e')}: nothing is attested of the guest image`,
      'no KMS: the policy names none',
      `app ${APP_ID}, compose hash ${COMPOSE_HASH}: image-pinned (app): no image is named`,
    ])
  })

  it('lists no KMS on a guest image on which apps may not start', async () => {
    const { document, left } = await exported({ kms: { mrAggregated: [digest('7')], osImages: [digest('9')], devices: 'any' } })
    expect(document.kms).toEqual({ mrAggregated: [], devices: [], allowAnyDevice: false })
    expect(document.osImages).toEqual([`0x${digest('d')}`])
    expect(left).toHaveLength(1)
  })

  it.each([
    ['no guest image', { osImages: {} }],
    ['none that is attested', { osImages: { [digest('e')]: { source: 'app' } } }],
    ['no state of the platform', { tcb: null }],
  ])('is refused with %s, since an empty list is no check', async (_, change) => {
    await expect(exported(change)).rejects.toMatchObject({ code: 'export-no-guest' })
  })

  it('holds by the rules where the policy only observes, and says that it enforces', async () => {
    const { document, left } = await exported({ mode: 'observe' }, { ...FACTS, images: [] })
    expect(document.apps).toEqual({})
    expect(left[0]).toContain('only observes')
  })

  it('never lets a guest start that the policy would not', async () => {
    const hex32 = fc.constantFrom(digest('d'), digest('e'), digest('3'), digest('4'))
    const listed = fc.record({
      devices: fc.oneof(fc.constant('any' as const), fc.uniqueArray(hex32, { minLength: 1, maxLength: 3 })),
      osImages: fc.uniqueArray(hex32, { minLength: 1, maxLength: 3 }),
      statuses: fc.uniqueArray(fc.constantFrom('UpToDate', 'SWHardeningNeeded', 'OutOfDate'), { minLength: 1 }),
      advisories: fc.uniqueArray(fc.constantFrom('INTEL-SA-1', 'INTEL-SA-2')),
    })
    const boot = fc.record({
      osImage: hex32,
      device: hex32,
      app: fc.constantFrom(APP_ID, 'cd'.repeat(20)),
      compose: fc.constantFrom(COMPOSE_HASH, digest('1')),
      tcb: fc.constantFrom('UpToDate', 'SWHardeningNeeded', 'OutOfDate', ''),
      advisories: fc.uniqueArray(fc.constantFrom('INTEL-SA-1', 'INTEL-SA-2', 'INTEL-SA-3')),
    })
    await fc.assert(
      fc.asyncProperty(listed, boot, async ({ devices, osImages, statuses, advisories }, asked) => {
        const policy = loaded({
          apps: { [APP_ID]: { ...POLICY.apps[APP_ID], devices } },
          osImages: Object.fromEntries(osImages.map((hash) => [hash, { pinned: 'by hand' }])),
          tcb: { statuses, advisories },
        })
        const apps = [decideGate(policy, { ...FACTS, guest: null })]
        const { document } = authSimple(policy.policy, { apps, osImages: await judgedOsImages(policy, NOW, async () => []) })
        const { judged } = decideGate(policy, {
          ...FACTS,
          app: { id: asked.app, compose: { hash: asked.compose, lint: FACTS.app?.compose.lint ?? null, admittedBy: null } },
          guest: {
            by: 'kms',
            osImage: { hash: asked.osImage, attestations: [] },
            deviceId: asked.device,
            tcb: { status: asked.tcb, advisories: asked.advisories },
          },
        })
        expect(answers(document, asked)).toBe(judged === 'allow')
      }),
    )
  })
})
