import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { APP_COMPOSE, APP_ID, BOOT, COMPOSE_HASH, digest } from '../src/app/gate/testing/passing.ts'
import { GateDesk } from '../src/app/service/gate-desk.ts'
import type { Reads } from '../src/app/store/store-ports.ts'
import { httpApp } from '../src/http/app.ts'
import { dstackRoutes } from '../src/http/dstack-routes.ts'
import type { HttpApp } from '../src/http/http-ports.ts'
import { ask, HttpService } from './http-service.ts'
import { endedImage, rebuiltImage, SERVICE_POLICY, signImage } from './rebuilt-image.ts'
import { databases } from './stores.ts'

const GATEWAY = {
  app_id: APP_ID,
  compose_hash: COMPOSE_HASH,
  instance_id: '',
  device_id: digest('3'),
  mr_system: digest('2'),
  mr_aggregated: digest('1'),
  os_image_hash: digest('d'),
  key_provider_info: '',
  init_script_hashes: null,
}

type Told = { isAllowed?: unknown; reason?: unknown; gatewayAppId?: unknown }

describe.each(databases())('the gate of the service, on %s', (kind) => {
  let service: HttpService
  let app: HttpApp
  let desk: GateDesk
  let broken = false
  let listening: AsyncDisposable
  /** By the verification that it is about: that the notice of a verdict came. */
  const heard = new Map<string, PromiseWithResolvers<void>>()
  const noticeOf = (id: string): PromiseWithResolvers<void> => {
    const one = heard.get(id) ?? Promise.withResolvers<void>()
    heard.set(id, one)
    return one
  }
  /** What a policy of the service would say, in which its own owners are named. */
  const policy = {
    ...SERVICE_POLICY,
    kms: { mrAggregated: [digest('7')], osImages: [digest('d')], devices: 'any' as const },
    gatewayAppId: 'ef'.repeat(20),
  }
  const put = (name: string, value: unknown): void => void service.policyFiles.set(name, stringify(value))

  const post = async (target: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await app.request(`/v1/dstack/${target}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    } as RequestInit)
    const text = await response.text()
    return { status: response.status, text, json: (text === '' ? {} : JSON.parse(text)) as Told }
  }
  const boot = (change: object = {}, name = 'production') => post(`${name}/bootAuth/app`, { ...BOOT, ...change })
  const admit = (bytes: string, { token = 'alice', app: id = APP_ID, hash = COMPOSE_HASH as string } = {}) =>
    ask(app, `/v1/apps/${id}/composes/${hash}`, {
      method: 'PUT',
      token,
      headers: { 'content-type': 'application/octet-stream' },
      body: bytes,
    })

  const rebuilt = (token: string, change: object = {}) => rebuiltImage(service, token, change)

  beforeAll(async () => {
    service = await HttpService.open({ kind })
    await service.caller('alice', { scopes: ['submit', 'cancel', 'admit'] })
    await service.caller('mallory', { scopes: ['submit', 'cancel', 'admit'] })
    await service.caller('submitter')
    const ports = service.httpPorts()
    const failing = <T extends object>(port: T): T =>
      new Proxy(port, {
        get: (target, name) =>
          broken ? () => Promise.reject(new Error('connection to db.example:5432 refused')) : Reflect.get(target, name),
      })
    const reads: Pick<Reads, 'attestations' | 'composes'> = {
      attestations: failing(ports.reads.attestations),
      composes: failing(ports.reads.composes),
    }
    desk = new GateDesk({
      ...service.gatePorts,
      unitOfWork: service.store.unitOfWork,
      reads,
    })
    const onNotice = (about: string): void => {
      desk.forget()
      noticeOf(about).resolve()
    }
    listening = await service.store.notices.listen('verdicts', { onNotice, onGap: () => desk.forget() })
    const routes = dstackRoutes({ desk, limits: ports.limits, base: () => new URL('https://rebuild.example/') })
    app = httpApp(ports, routes)
    put('production', policy)
    put('observing', { ...policy, name: 'observing', mode: 'observe' })
    service.policyFiles.set('broken', 'policy: [')
  })
  afterAll(async () => {
    await listening[Symbol.asyncDispose]()
    await service[Symbol.asyncDispose]()
  })

  it('denies what nobody admitted, or rebuilt, and says why and where to read on', async () => {
    const before = await boot()
    expect([before.status, before.json.isAllowed, before.json.gatewayAppId]).toEqual([200, false, 'ef'.repeat(20)])
    expect(before.json.reason).toMatch(
      /^compose-admitted \(compose\): nobody admitted it for this app, and \d+ more \(https:\/\/rebuild\.example\/v1\/apps\/(ab){20}\/decisions\)$/,
    )
    expect((await admit(APP_COMPOSE)).status).toBe(201)
    const admitted = await boot()
    expect(admitted.json.reason).toContain('attested (service app): nothing is attested of it')
  })

  it('allows what was admitted and rebuilt, to a KMS and to a gateway', async () => {
    await rebuilt('alice')
    expect(await boot()).toMatchObject({ status: 200, json: { isAllowed: true, reason: '', gatewayAppId: 'ef'.repeat(20) } })
    expect((await boot({ appId: `0x${APP_ID.toUpperCase()}`, extra: { later: true } })).json.isAllowed).toBe(true)
    expect(await post('production/app-auth', GATEWAY)).toMatchObject({ status: 204, text: '' })
    expect((await boot({}, 'observing')).json.isAllowed).toBe(true)
  })

  it.each([
    ['another app', { appId: 'cd'.repeat(20) }, 'app-listed'],
    ['another compose', { composeHash: digest('8') }, 'compose-admitted'],
    ['another guest image', { osImageHash: digest('8') }, 'os-image'],
    ['an old platform', { tcbStatus: 'OutOfDate' }, 'tcb'],
    ['an advisory', { advisoryIds: ['INTEL-SA-00001'] }, 'tcb'],
  ])('denies %s', async (_, change, rule) => {
    const { status, json } = await boot(change)
    expect([status, json.isAllowed, String(json.reason).split(' ')[0]]).toEqual([200, false, rule])
  })

  it('denies a gateway by its status, whatever it makes of the rest', async () => {
    const denied = await post('production/app-auth', { ...GATEWAY, compose_hash: digest('8') })
    expect([denied.status, denied.json.isAllowed]).toEqual([403, false])
    expect((await post('observing/app-auth', { ...GATEWAY, compose_hash: digest('8') })).status).toBe(204)
  })

  it('takes a rebuild for nothing that somebody else had made of the same source, or admitted', async () => {
    put('narrow', { ...policy, name: 'narrow', sources: { app: { ...policy.sources['app'], owners: ['local:bob'] } } })
    await rebuilt('mallory')
    expect((await boot({}, 'narrow')).json.reason).toContain('owner-admitted')
    expect((await boot()).json.isAllowed).toBe(true)
    put('admitted', { ...policy, name: 'admitted', apps: { [APP_ID]: { ...policy.apps[APP_ID], admitters: ['local:bob'] } } })
    expect((await boot({}, 'admitted')).json.reason).toContain('who admitted it may not')
  })

  it('does not lose the one that holds among a hundred of strangers', async () => {
    for (let number = 0; number < 30; number += 1) await rebuilt(`stranger-${number}`)
    expect((await boot()).json.isAllowed).toBe(true)
  }, 60_000)

  it('answers of itself to a KMS, and of a KMS by what the policy names', async () => {
    const meta = await app.request('/v1/dstack/production')
    expect([meta.status, await meta.json()]).toEqual([
      200,
      {
        status: 'ok',
        kmsContractAddr: `0x${'0'.repeat(40)}`,
        ethRpcUrl: '',
        gatewayAppId: 'ef'.repeat(20),
        chainId: 0,
        appImplementation: `0x${'0'.repeat(40)}`,
        appAuthImplementation: `0x${'0'.repeat(40)}`,
      },
    ])
    expect((await post('production/bootAuth/kms', { ...BOOT, mrAggregated: digest('7') })).json.isAllowed).toBe(true)
    expect((await post('production/bootAuth/kms', BOOT)).json).toMatchObject({ isAllowed: false })
    put('no-kms', { ...policy, name: 'no-kms', kms: null })
    expect((await post('no-kms/bootAuth/kms', { ...BOOT, mrAggregated: digest('7') })).json.isAllowed).toBe(false)
  })

  it('is never served from an answer before: what the policy says now counts', async () => {
    put('changing', { ...policy, name: 'changing' })
    expect((await boot({}, 'changing')).json.isAllowed).toBe(true)
    put('changing', { ...policy, name: 'changing', apps: {} })
    expect((await boot({}, 'changing')).json.isAllowed).toBe(false)
    put('changing', { ...policy, name: 'changing' })
    expect((await boot({}, 'changing')).json.isAllowed).toBe(true)
  })

  it('lets nobody in by a policy that cannot be followed, or is not there', async () => {
    expect((await boot({}, 'broken')).json).toMatchObject({
      isAllowed: false,
      reason: 'the policy cannot be followed',
    })
    expect((await post('broken/app-auth', GATEWAY)).status).toBe(403)
    for (const name of ['absent', '..', '%2e%2e%2fproduction', 'constructor', 'Production']) {
      const { status, json } = await boot({}, name)
      expect([status >= 400, json.isAllowed === true]).toEqual([true, false])
    }
  })

  it('lets nobody in while the database is away, and tells nothing of why', async () => {
    put('fresh', { ...policy, name: 'fresh', attestations: { ...policy.attestations, cacheSeconds: 0 } })
    for (const name of ['fresh', 'production']) expect((await boot({}, name)).json.isAllowed).toBe(true)
    broken = true
    try {
      const answer = await boot({}, 'fresh')
      expect([answer.status, answer.json.isAllowed]).toEqual([200, false])
      expect(answer.json.reason).toMatch(/^it could not be found out \(internal\)$/)
      expect(answer.text).not.toContain('db.example')
      expect((await post('fresh/app-auth', GATEWAY)).status).toBe(403)
      // What a policy lets be kept counts for as long, and not a moment longer.
      expect([(await boot()).json.isAllowed, (await boot({ tcbStatus: 'OutOfDate' })).json.isAllowed]).toEqual([true, false])
      service.clock.pass(60_000)
      expect([(await boot()).json.isAllowed, (await post('production/app-auth', GATEWAY)).status]).toEqual([false, 403])
    } finally {
      broken = false
    }
    expect((await boot()).json.isAllowed).toBe(true)
  })

  it('denies as soon as a later verdict on the same source says otherwise, whatever was kept', async () => {
    const commit = 'c'.repeat(40)
    put('of-carol', { ...policy, name: 'of-carol', sources: { app: { ...policy.sources['app'], owners: ['local:carol'] } } })
    await signImage(service, await endedImage(service, 'carol', { commit }), { owner: 'local:carol' })
    expect((await boot({}, 'of-carol')).json.isAllowed).toBe(true)
    await noticeOf(await endedImage(service, 'carol', { commit, decision: { verdict: 'mismatch', tier: null } })).promise
    expect((await boot({}, 'of-carol')).json.reason).toContain('nothing is attested of it')
  })

  it.each<[string, string | Uint8Array, Record<string, string>?]>([
    ['nothing', ''],
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a key twice', `{"appId":"${APP_ID}",${JSON.stringify(BOOT).slice(1)}`],
    ['a compose hash of 31 bytes', JSON.stringify({ ...BOOT, composeHash: COMPOSE_HASH.slice(2) })],
    ['a compose hash of 33 bytes', JSON.stringify({ ...BOOT, composeHash: `${COMPOSE_HASH}00` })],
    ['what a gateway says', JSON.stringify(GATEWAY)],
    ['no UTF-8', Uint8Array.of(0x7b, 0xff)],
    ['too much', JSON.stringify({ ...BOOT, more: 'x'.repeat(70_000) })],
    ['too deep', `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`],
    ['a form', 'appId=1', { 'content-type': 'application/x-www-form-urlencoded' }],
  ])('answers %s with 400 and no', async (_, body, headers = {}) => {
    for (const target of ['production/bootAuth/app', 'production/bootAuth/kms', 'production/app-auth', 'observing/bootAuth/app']) {
      if (target === 'production/app-auth' && body === JSON.stringify(GATEWAY)) continue
      const { status, json } = await post(target, body, headers)
      expect([status, json.isAllowed]).toEqual([400, false])
    }
  })

  it('names the fields that it does not understand, in the answer and its code in the log', async () => {
    const from = service.answers.length
    const { json } = await post('production/bootAuth/app', JSON.stringify({ ...BOOT, appId: 'ab', mrSystem: undefined, 'x\u001b': 1 }))
    expect(json.reason).toBe('invalid authorization request (boot-info-malformed: mrSystem, appId)')
    expect(service.answers.slice(from)).toMatchObject([{ status: 400, code: 'boot-info-malformed' }])
  })

  it('allows nothing malformed, and fails at none of it', async () => {
    const keys = Object.keys(BOOT)
    const value = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.array(fc.string()),
      fc.stringMatching(/^(?:0x)?[0-9a-f]{0,80}$/),
      fc.object(),
    )
    const malformed = fc
      .tuple(fc.constantFrom(...keys.filter((key) => !['teeVariant', 'keyProviderInfo', 'instanceId'].includes(key))), value)
      .map(([key, changed]) => JSON.stringify({ ...BOOT, [key]: changed }))
    await fc.assert(
      fc.asyncProperty(fc.oneof(malformed, fc.json(), fc.string()), async (body) => {
        const { status, json } = await post('production/bootAuth/app', body)
        expect(status === 200 ? json.isAllowed === false || body === JSON.stringify(BOOT) : status >= 400 && status < 500).toBe(true)
      }),
      { numRuns: 300 },
    )
  }, 60_000)

  it('notes each answer once, with how often it was given, and nothing of what strangers make up', async () => {
    await desk.flush()
    const listed = async (id: string) => {
      const { json } = await ask(app, `/v1/apps/${id}/decisions`)
      return (json as { items: { asked: string; count: number; decision: { judged: string; policy: { name: string } } }[] }).items
    }
    const count = async () =>
      (await listed(APP_ID))
        .filter(({ asked, decision }) => asked === 'gateway' && decision.judged === 'allow' && decision.policy.name === 'production')
        .map((one) => one.count)
    const [before = 0] = await count()
    for (let time = 0; time < 5; time += 1) await post('production/app-auth', GATEWAY)
    await desk.flush()
    expect(await count()).toEqual([before + 5])
    const all = (await listed(APP_ID)).length
    for (let number = 0; number < 20; number += 1) {
      await boot({ composeHash: number.toString(16).padStart(64, '0') })
      await boot({ appId: number.toString(16).padStart(40, '0') })
    }
    await desk.flush()
    expect([(await listed(APP_ID)).length, await listed('0'.repeat(40))]).toEqual([all, []])
  })

  describe('an app-compose', () => {
    it('is admitted by who has a token for that, once, and shown with its bytes', async () => {
      expect((await admit(APP_COMPOSE)).status).toBe(200)
      const { json } = await ask(app, `/v1/apps/${APP_ID}/composes`)
      const items = (json as { items: { composeHash: string; admittedBy: { name: string }; links: { bytes: string } }[] }).items
      expect(items.map(({ composeHash, admittedBy }) => [composeHash, admittedBy.name])).toEqual([[COMPOSE_HASH, 'alice']])
      const bytes = await ask(app, items[0]?.links.bytes ?? '')
      expect([bytes.text, bytes.headers.get('content-disposition')]).toEqual([APP_COMPOSE, 'attachment; filename="app-compose.json"'])
      expect((await admit(APP_COMPOSE, { token: 'submitter' })).status).toBe(403)
    })

    it.each([
      ['other bytes than its hash', `${APP_COMPOSE} `, 'compose-hash-differs'],
      ['a Compose file', 'services: {}', 'compose-no-app'],
      ['a key twice', '{"name":"a","name":"b"}', 'json-duplicate-key'],
      ['too much', `{"x":"${'y'.repeat(300_000)}"}`, 'compose-too-large'],
    ])('is not admitted as %s', async (_, bytes, code) => {
      expect((await admit(bytes)).json).toMatchObject({ code })
    })

    it('stays, whoever collects what nothing needs', async () => {
      const later = service.clock.pass(400 * 86_400_000)
      await service.store.unitOfWork.run(({ blobs }) =>
        blobs.collect({ endedBefore: later, notedBefore: later, after: null, limit: 10_000 }),
      )
      expect((await ask(app, `/v1/apps/${APP_ID}/composes/${COMPOSE_HASH}`)).text).toBe(APP_COMPOSE)
    })
  })
})
