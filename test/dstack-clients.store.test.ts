import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { APP_ID, BOOT, COMPOSE_HASH, digest, NAME } from '../src/app/gate/testing/passing.ts'
import { GATEWAY_APP, GateService, KMS_BOOT } from './gate-service.ts'
import { type GatewayAppInfo, GatewayClient } from './stand-ins/gateway-client.ts'
import { KmsClient, type PolicyBootInfo } from './stand-ins/kms-client.ts'
import { exchange } from './stand-ins/posted.ts'

/**
 * What the contract tests of dstack ask of a webhook and of its clients (kms/auth-simple, kms/auth-eth, kms/auth-mock, upgrade_authority.rs and
 * auth_client.rs of Dstack-TEE/dstack at 312dc60), asked of ours over a socket by clients as strict as theirs.
 */
const APP = BOOT as PolicyBootInfo
const KMS = KMS_BOOT as PolicyBootInfo
const SNP = 'dstack-amd-sev-snp'

describe('the webhooks, as the clients of dstack see them', () => {
  let gate: GateService
  const kms = (o: { readonly policy?: string; readonly self?: PolicyBootInfo } = {}) =>
    new KmsClient({ url: gate.url(o.policy), self: o.self ?? null })
  const gateway = (policy?: string) => new GatewayClient({ url: `${gate.url(policy)}/app-auth` })
  /** Routes that were asked since, in order. */
  const since = (from: number) => gate.service.answers.slice(from).map(({ route }) => route.replace('/v1/dstack/:policy', ''))
  const app = (change: Partial<PolicyBootInfo> = {}, policy = 'production') => kms({ policy }).isAppAllowed({ ...APP, ...change }, false)
  const self = (change: Partial<PolicyBootInfo> = {}, policy = 'production') => kms({ policy }).isAppAllowed({ ...KMS, ...change }, true)

  beforeAll(async () => {
    gate = await GateService.open()
  })
  afterAll(async () => {
    await gate[Symbol.asyncDispose]()
  })

  it('decide each of two equal questions, and not by the answer to the first', async () => {
    const from = gate.service.answers.length
    gate.put('revoking', {})
    expect(await app({}, 'revoking')).toEqual({ isAllowed: true, gatewayAppId: 'ef'.repeat(20), reason: '' })
    gate.put('revoking', { tcb: { statuses: ['SWHardeningNeeded'] } })
    expect(await app({}, 'revoking')).toMatchObject({ isAllowed: false, reason: expect.stringContaining('tcb (guest)') })
    expect(since(from)).toEqual(['/bootAuth/app', '/bootAuth/app'])
  })

  it('take the question of an app for one of a KMS on no route, and each by all that identifies it', async () => {
    expect([(await app()).isAllowed, (await self()).isAllowed]).toEqual([true, true])
    expect([(await app(KMS)).isAllowed, (await self(APP)).isAllowed]).toEqual([false, false])
    const other = digest('9')
    const changed = async (change: Partial<PolicyBootInfo>) => [(await app(change)).isAllowed, (await self(change)).isAllowed]
    gate.put('machines', {
      apps: { [APP_ID]: { images: [NAME], composes: [COMPOSE_HASH], devices: [APP.deviceId] } },
      kms: { mrAggregated: [KMS.mrAggregated], osImages: [KMS.osImageHash], devices: [KMS.deviceId] },
    })
    expect(await Promise.all([app({}, 'machines'), self({}, 'machines')])).toMatchObject([{ isAllowed: true }, { isAllowed: true }])
    expect(await Promise.all([app({ deviceId: other }, 'machines'), self({ deviceId: other }, 'machines')])).toMatchObject([
      { isAllowed: false, reason: expect.stringContaining('machine') },
      { isAllowed: false, reason: expect.stringContaining('machine') },
    ])
    expect(await changed({ osImageHash: other })).toEqual([false, false])
    expect(await changed({ appId: '9'.repeat(40) })).toEqual([false, true])
    expect(await changed({ composeHash: other })).toEqual([false, true])
    // SignCert asks with what was measured at boot: of an app that differs from call to call.
    expect(await changed({ mrAggregated: other })).toEqual([true, false])
    expect(await changed({ mrSystem: other, instanceId: '9'.repeat(40), keyProviderInfo: '7b7d' })).toEqual([true, true])
  })

  it.each([undefined, 'dstack-tdx', 'dstack-gcp-tdx', 'dstack-nitro-enclave', SNP, 'dstack-aws-nitro-tpm'] as const)(
    'understand a KMS that says %s of the machine, and an older one that says less',
    async (teeVariant) => {
      const { teeVariant: _variant, keyProviderInfo: _provider, ...older } = APP
      const info = teeVariant === undefined ? older : { ...older, teeVariant, keyProviderInfo: '7b226e616d65223a226b6d73227d' }
      expect(await kms().isAppAllowed(info, false)).toMatchObject({ isAllowed: true })
    },
  )

  it('give keys to a guest where the KMS may be one, in the order in which a KMS asks', async () => {
    const from = gate.service.answers.length
    expect(await kms({ self: KMS }).getAppKey(APP)).toEqual({ gatewayAppId: 'ef'.repeat(20) })
    await kms({ self: KMS }).getTempCaCert()
    expect(since(from)).toEqual(['/bootAuth/kms', '/bootAuth/app', '/bootAuth/kms'])
    await expect(kms({ self: { ...KMS, mrAggregated: digest('8') } }).getAppKey(APP)).rejects.toThrow(
      /^KMS is not allowed: the policy does not name/,
    )
    expect(since(from)).toHaveLength(4)
    const denied = kms({ self: KMS }).getAppKey({ ...APP, composeHash: digest('8') })
    await expect(denied).rejects.toThrow(
      `Boot denied: compose-admitted (compose): nobody admitted it for this app, and 2 more (https://rebuild.example/v1/apps/${APP_ID}/decisions)`,
    )
  })

  it('say of themselves what a KMS shows, whether its URL ends in a slash or not', async () => {
    const meta = { status: 'ok', ethRpcUrl: '', gatewayAppId: 'ef'.repeat(20), chainId: 0 }
    expect(await kms().getMeta()).toMatchObject(meta)
    const slash = new KmsClient({ url: `${gate.url()}/` })
    expect(await slash.getMeta()).toMatchObject(meta)
    expect(await slash.isAppAllowed(APP, false)).toMatchObject({ isAllowed: true })
  })

  describe('asked about a KMS', () => {
    it.each<[string, Partial<PolicyBootInfo>, object, boolean]>([
      ['whose platform is out of date', { tcbStatus: 'OutOfDate' }, {}, false],
      ['whose SEV-SNP platform is out of date', { tcbStatus: 'OutOfDate', teeVariant: SNP }, {}, false],
      ['where the policy takes that', { tcbStatus: 'OutOfDate', teeVariant: SNP }, { tcb: { statuses: ['OutOfDate'] } }, true],
      ['against which an advisory stands', { advisoryIds: ['INTEL-SA-TEST'] }, {}, false],
      [
        'where the policy puts up with it',
        { advisoryIds: ['INTEL-SA-TEST'] },
        { tcb: { statuses: ['UpToDate'], advisories: ['INTEL-SA-TEST'] } },
        true,
      ],
      ['on another guest image', { osImageHash: digest('8') }, {}, false],
      ['that measures otherwise', { mrAggregated: digest('8') }, {}, false],
      ['where the policy names none', {}, { kms: null }, false],
      ['where the policy says nothing of platforms', {}, { tcb: null }, false],
    ])('%s', async (_, change, policy, allowed) => {
      gate.put('of-kms', policy)
      expect(await self(change, 'of-kms')).toMatchObject({ isAllowed: allowed, gatewayAppId: 'ef'.repeat(20) })
    })
  })

  describe('asked about an app', () => {
    const listed = { images: [NAME], composes: [COMPOSE_HASH], devices: 'any' }
    it.each<[string, Partial<PolicyBootInfo>, object, string | null]>([
      ['that is not registered', {}, { apps: {} }, 'app-listed'],
      ['with another compose', { composeHash: digest('8') }, {}, 'compose-admitted'],
      ['on another machine', {}, { apps: { [APP_ID]: { ...listed, devices: [digest('8')] } } }, 'device-admitted'],
      ['on any machine', { deviceId: digest('8') }, { apps: { [APP_ID]: listed } }, null],
      ['where no guest image is allowed', {}, { osImages: {} }, 'os-image'],
      ['in other letters, with 0x', { appId: `0x${APP_ID.toUpperCase()}`, composeHash: `0x${COMPOSE_HASH.toUpperCase()}` }, {}, null],
      ['with an instance', { instanceId: '5'.repeat(40) }, {}, null],
      ['where an older KMS has a bare 0x for no instance', { instanceId: '0x' }, {}, null],
    ])('%s', async (_, change, policy, rule) => {
      gate.put('of-app', policy)
      const { isAllowed, reason } = await app(change, 'of-app')
      expect([isAllowed, reason.split(' ')[0]]).toEqual([rule === null, rule ?? ''])
    })
  })

  describe('asked by a gateway', () => {
    it.each<[string, Partial<GatewayAppInfo>, boolean]>([
      ['about the app', {}, true],
      ['about one whose scripts are measured', { init_script_hashes: [digest('4'), digest('5')] }, true],
      ['about another app', { app_id: 'cd'.repeat(20) }, false],
      ['about another compose', { compose_hash: digest('8') }, false],
      ['about another guest image', { os_image_hash: digest('8') }, false],
      ['about one without a compose', { compose_hash: '' }, false],
    ])('%s', async (_, change, authorized) => {
      expect(await gateway().isAppAuthorized({ ...GATEWAY_APP, ...change })).toBe(authorized)
    })

    it('answer with no status but 204 that it could take for a yes', async () => {
      const url = gate.url()
      const body = JSON.stringify(GATEWAY_APP)
      const headers = { 'content-type': 'application/json' }
      const statuses: Record<string, number> = {}
      for (const path of [
        '/app-auth',
        '/app-auth/',
        '',
        '/',
        '/bootAuth/app',
        '/bootAuth/kms',
        '/bootAuth',
        '/bootAuth/',
        '/App-Auth',
        '//app-auth',
        '/x/app-auth',
      ])
        statuses[path] = (await exchange({ method: 'POST', url: `${url}${path}`, headers, body })).status
      for (const name of ['absent', 'broken', '..', '%2e%2e', '%00', 'PRODUCTION', `${'a'.repeat(300)}`]) {
        gate.service.policyFiles.set('broken', 'policy: [')
        statuses[name] = (await exchange({ method: 'POST', url: gate.url(name).concat('/app-auth'), headers, body })).status
      }
      const { '/app-auth': yes, ...others } = statuses
      expect([yes, Object.entries(others).filter(([, status]) => status < 400)]).toEqual([204, []])
    })
  })

  it('answer in the shapes that every server of dstack has', async () => {
    // BootResponse and MockSystemInfo of kms/auth-mock/openapi.json; what it says of itself as a mock is left out.
    const BootResponse = z.strictObject({ isAllowed: z.boolean(), reason: z.string(), gatewayAppId: z.string() })
    const SystemInfo = z.object({
      status: z.literal('ok'),
      kmsContractAddr: z.string(),
      gatewayAppId: z.string(),
      chainId: z.number(),
      appAuthImplementation: z.string(),
      appImplementation: z.string(),
    })
    const post = (path: string, body: unknown) =>
      exchange({ method: 'POST', url: `${gate.url()}${path}`, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    const minimal = {
      mrAggregated: 'minimal',
      osImageHash: 'minimal',
      appId: 'minimal',
      composeHash: 'minimal',
      instanceId: 'minimal',
      deviceId: 'minimal',
    }
    for (const path of ['/bootAuth/app', '/bootAuth/kms'])
      for (const [body, status] of [
        [APP, 200],
        [KMS, 200],
        [{ ...APP, composeHash: digest('8') }, 200],
        [{ ...APP, mrAggregated: `0x${'ab'.repeat(33)}` }, 400],
        [{ ...APP, mrAggregated: 'not-hex' }, 400],
        [{ mrAggregated: '0x1234' }, 400],
        [minimal, 400],
      ] as const) {
        const answer = await post(path, body)
        expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/json'])
        const told = BootResponse.parse(JSON.parse(answer.body.toString()))
        if (status === 400)
          expect(told).toEqual({
            isAllowed: false,
            reason: expect.stringMatching(/^invalid authorization request \(boot-info-malformed: mrAggregated[^)]*\)$/),
            gatewayAppId: '',
          })
      }
    const about = await exchange({ method: 'GET', url: gate.url(), headers: {} })
    expect(about.status).toBe(200)
    SystemInfo.parse(JSON.parse(about.body.toString()))
  })
})
