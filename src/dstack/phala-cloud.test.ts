import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { STAND_IN_SCRIPT } from '../../test/stand-ins/phala-app-compose.ts'
import { PhalaCloudStandIn } from '../../test/stand-ins/phala-cloud.ts'
import type { PhalaFault } from '../../test/stand-ins/phala-faults.ts'
import { structured, validation } from '../../test/stand-ins/phala-refusals.ts'
import type { PhalaWorldOptions } from '../../test/stand-ins/phala-world.ts'
import { Secret } from '../../verifier/model/secret.ts'
import { appComposeOf, encodeAppCompose } from './app-compose.ts'
import { PhalaCloud } from './phala-cloud.ts'
import { type Deploying, deploying } from './testing/deploying.ts'

const FILE = 'services:\n  app:\n    image: "docker.io/user/app@sha256:' + 'ab'.repeat(32) + '"\n'
const { text: MINIMAL } = encodeAppCompose(appComposeOf({ name: 'app-one', dockerComposeFile: FILE }))
/** What the stand-in makes of it, as an earlier deployment attests it. */
const FULL = JSON.stringify({
  allowed_envs: ['SECRET'],
  docker_compose_file: FILE,
  features: ['kms', 'tproxy-net'],
  gateway_enabled: true,
  kms_enabled: true,
  local_key_provider_enabled: false,
  manifest_version: 2,
  name: 'app-one',
  no_instance_id: false,
  pre_launch_script: STAND_IN_SCRIPT,
  public_logs: false,
  public_sysinfo: false,
  public_tcbinfo: true,
  runner: 'docker-compose',
  secure_time: false,
  storage_fs: 'zfs',
  tproxy_enabled: true,
})
const ENVIRONMENT = [{ name: 'SECRET', value: 'of "nobody’s" business' }]

const opened: PhalaCloudStandIn[] = []
afterEach(async () => {
  for (const standIn of opened.splice(0)) await standIn[Symbol.asyncDispose]()
})

type Trial = Omit<Deploying, 'target' | 'appCompose'> & {
  readonly appCompose?: string
  readonly world?: PhalaWorldOptions
  readonly scripts?: readonly string[]
  readonly timeout?: number
  readonly faults?: (cloud: PhalaCloudStandIn) => void
}

async function trial({ world = {}, scripts = [STAND_IN_SCRIPT], timeout = 30_000, faults, ...o }: Trial) {
  const cloud = await PhalaCloudStandIn.start(world)
  opened.push(cloud)
  faults?.(cloud)
  const target = new PhalaCloud({ prefix: new URL(cloud.prefix), key: new Secret(cloud.apiKey), scripts, timeout })
  const run = async (more: Partial<Deploying> = {}) => await deploying({ target, appCompose: MINIMAL, ...o, ...more })
  return { cloud, target, run, ...(await run()) }
}

describe('a deployment at Phala Cloud', () => {
  it('is provisioned, judged by the very bytes, and committed with environment that the guest alone reads', async () => {
    const { cloud, state, asked, deployment } = await trial({ appCompose: FULL, environment: ENVIRONMENT })
    expect([state, asked.map(({ appCompose }) => appCompose)]).toEqual(['running', [FULL]])
    expect(cloud.world.cvms.map(({ environment }) => environment)).toEqual([[{ key: 'SECRET', value: ENVIRONMENT[0]?.value }]])
    expect(JSON.stringify([cloud.requests, deployment])).not.toContain('business')
    expect(cloud.world.cvms.map(({ provision }) => provision.appCompose)).toEqual([FULL])
  })

  it('is judged by what Phala Cloud makes of a smaller app-compose, its script included', async () => {
    const { cloud, state, asked } = await trial({})
    expect(asked.map(({ appCompose }) => appCompose)).toEqual(cloud.world.cvms.map(({ provision }) => provision.appCompose))
    expect([state, asked[0]?.appCompose.includes('of a stand-in')]).toEqual(['running', true])
  })

  it('says app id, OS image and device to the gate, and app, instance and gateway once it runs', async () => {
    const { cloud, deployment, asked } = await trial({})
    const [cvm] = cloud.world.cvms
    expect(asked[0]).toMatchObject({ appId: cvm?.appId, osImageHash: expect.stringMatching(/^[0-9a-f]{64}$/) })
    const seen = deployment.events.flatMap((event) => (event.kind === 'state' && event.state.status === 'running' ? [event.state] : []))
    expect(seen).toEqual([
      { status: 'running', appId: cvm?.appId, instanceId: cvm?.instanceId, gatewayDomain: 'stand-in.phala.test', gatewayPort: 443 },
    ])
  })

  it('commits nothing that the policy denies', async () => {
    const { cloud, state, why } = await trial({ denies: () => true, environment: ENVIRONMENT, appCompose: FULL })
    expect([state, why, cloud.world.everStarted, cloud.asked('POST /cvms').length]).toEqual(['denied', 'deployment-denied', 0, 0])
  })

  it('commits nothing whose bytes cannot be thought of', async () => {
    const { cloud, state, why, asked } = await trial({ world: { makes: (text) => text.replace('{', '{"salt":"1",') } })
    expect([state, why, asked, cloud.asked('POST /cvms').length]).toEqual(['denied', 'deployment-unpredicted', [], 0])
    expect((await trial({ scripts: [] })).why).toBe('deployment-unpredicted')
  })

  it('starts those without secrets by that option, and judges what they attest', async () => {
    const o = {
      world: { makes: (text: string) => text.replace('{', '{"salt":"1",') },
      order: { unpredicted: 'start-without-secrets' as const },
    }
    const allowed = await trial({ ...o, appCompose: FULL, environment: ENVIRONMENT })
    expect([allowed.state, allowed.cloud.world.cvms[0]?.environment]).toEqual(['running', []])
    expect(allowed.asked.map(({ appCompose }) => appCompose)).toEqual([allowed.cloud.world.cvms[0]?.provision.appCompose])
    const denied = await trial({ ...o, denies: () => true })
    expect([denied.state, denied.why, denied.cloud.world.cvms, denied.cloud.world.everStarted]).toEqual([
      'denied',
      'deployment-denied',
      [],
      1,
    ])
    const other = await trial({ ...o, world: { ...o.world, attests: () => FULL } })
    expect([other.state, other.why, other.cloud.world.cvms]).toEqual(['denied', 'deployment-compose-differs', []])
  })

  it('is stopped and deleted where it attests other bytes than those that were decided', async () => {
    const { cloud, state, why } = await trial({ appCompose: FULL, world: { attests: (text) => text.replace('app-one', 'app-two') } })
    expect([state, why, cloud.world.cvms, cloud.world.everStarted]).toEqual(['denied', 'deployment-compose-differs', [], 1])
    expect(cloud.asked('DELETE /cvms/:id')).toHaveLength(1)
  })

  it('ends where the guest does not boot', async () => {
    expect(await trial({ world: { becomes: 'boot-error' } })).toMatchObject({ state: 'failed', why: 'deployment-boot-failed' })
    expect(await trial({ world: { becomes: 'stopped' } })).toMatchObject({ state: 'failed', why: 'deployment-stopped' })
    const slow = await trial({ world: { becomes: 'starting' }, stepMs: 60_000 })
    expect(slow).toMatchObject({ state: 'failed', why: 'deployment-boot-time-limit' })
  })

  it('takes an app id that Phala Cloud gives next, and no other', async () => {
    const cloud = await PhalaCloudStandIn.start()
    opened.push(cloud)
    const appId = cloud.world.nextAppIds(5)[4]?.app_id ?? ''
    const target = new PhalaCloud({ prefix: new URL(cloud.prefix), key: new Secret(cloud.apiKey), scripts: [STAND_IN_SCRIPT] })
    const run = async (name: string, id: string) => await deploying({ target, appCompose: MINIMAL, order: { name, appId: id } })
    expect(await run('app-one', appId)).toMatchObject({ state: 'running' })
    expect(cloud.world.cvms[0]?.appId).toBe(appId)
    expect(await run('app-two', appId)).toMatchObject({ why: 'target-app-taken' })
    expect(await run('app-two', 'cd'.repeat(20))).toMatchObject({ why: 'target-app-id-unavailable' })
    expect(cloud.world.everStarted).toBe(1)
  })
})

const answer = (status: number, body?: unknown, headers?: Record<string, string>): PhalaFault => ({
  kind: 'answer',
  status,
  ...(body === undefined ? {} : { body }),
  ...(headers === undefined ? {} : { headers }),
})
const LEAK = 'a text of theirs'

describe('what Phala Cloud may do instead', () => {
  it.each([
    ['a key it does not take', 'POST /cvms/provision', answer(401, { detail: LEAK }), 'target-credentials-refused'],
    ['an account that may not', 'POST /cvms', answer(403, { detail: LEAK }), 'target-credentials-refused'],
    ['an order it refuses', 'POST /cvms/provision', answer(422, validation('instance_type', LEAK)), 'target-order-refused'],
    ['a name that is taken', 'POST /cvms', answer(409, { detail: LEAK }), 'target-name-taken'],
    ['no room', 'POST /cvms/provision', answer(400, structured('ERR-02-002', LEAK)), 'target-without-room'],
    ['a contract to ask', 'POST /cvms', answer(465, structured('ERR-01-005', LEAK)), 'target-kms-on-chain'],
    ['466', 'POST /cvms', answer(466, {}), 'target-kms-on-chain'],
    ['467', 'POST /cvms', answer(467, {}), 'target-kms-on-chain'],
    ['468', 'POST /cvms', answer(468, {}), 'target-kms-on-chain'],
    ['no JSON', 'POST /cvms/provision', answer(200, LEAK), 'target-answer-malformed'],
    ['an answer without end', 'POST /cvms/provision', { kind: 'huge' }, 'target-answer-malformed'],
    ['a key twice', 'POST /cvms/provision', { kind: 'twice' }, 'target-answer-malformed'],
    ['a redirect', 'POST /cvms/provision', answer(307, {}, { location: 'https://elsewhere.example/' }), 'target-redirects'],
    ['no app id', 'POST /cvms/provision', { kind: 'changed', change: (body) => ({ ...body, app_id: null }) }, 'target-kms-on-chain'],
    [
      'another form of a hash',
      'POST /cvms/provision',
      { kind: 'changed', change: (body) => ({ ...body, compose_hash: 'AB' }) },
      'target-answer-malformed',
    ],
  ] as const satisfies readonly (readonly [string, string, PhalaFault, string])[])(
    '%s ends it by a code of ours',
    async (_, route, fault, code) => {
      const { cloud, state, why, deployment } = await trial({ faults: (standIn) => standIn.faults.add(route, fault) })
      expect([state, why, cloud.world.everStarted]).toEqual(['failed', code, 0])
      expect(JSON.stringify(deployment)).not.toContain(LEAK)
    },
  )

  it('a hash of other bytes than those provisioned starts nothing', async () => {
    const change = (body: Record<string, unknown>) => ({ ...body, compose_hash: 'ab'.repeat(32) })
    const { cloud, why } = await trial({ faults: ({ faults }) => faults.add('POST /cvms/provision', { kind: 'changed', change }) })
    expect([why, cloud.world.everStarted]).toEqual(['deployment-unpredicted', 0])
  })

  it.each([
    ['an error of its own', answer(500, { detail: LEAK })],
    ['too many requests', answer(429, { detail: LEAK })],
    ['a lost answer', { kind: 'lost' }],
    ['half an answer', { kind: 'half' }],
    ['no answer', { kind: 'never' }],
    ['an answer that comes too late', { kind: 'late' }],
  ] as const satisfies readonly (readonly [string, PhalaFault])[])('%s passes, and nothing is started twice', async (_, fault) => {
    const { cloud, state, passed } = await trial({
      timeout: 300,
      faults: ({ faults }) => {
        for (const route of ['POST /cvms/provision', 'POST /cvms', 'GET /cvms/:id', 'GET /cvms/:id/state']) faults.add(route, fault, 2)
      },
    })
    expect([state, cloud.world.everStarted]).toEqual(['running', 1])
    expect(passed.length).toBeGreaterThan(5)
    for (const failure of passed)
      expect([failure.code, JSON.stringify(failure)]).toEqual([
        expect.stringMatching(/^target-(?:unreachable|failing)$/),
        expect.not.stringContaining(LEAK),
      ])
  })

  it('an answer that makes no sense, once something runs, is asked for again', async () => {
    const { state, cloud } = await trial({
      faults: ({ faults }) => {
        for (const route of ['POST /cvms', 'GET /cvms/:id/state'])
          faults.add(route, { kind: 'changed', change: () => ({ nothing: 'known' }) }, 2)
      },
    })
    expect([state, cloud.world.everStarted]).toEqual(['running', 1])
  })

  it('a guest that is gone has stopped, and stopping it is done', async () => {
    const { cloud, target } = await trial({})
    const guest = cloud.world.cvms[0]?.vmUuid.replaceAll('-', '') ?? ''
    const { signal } = new AbortController()
    await target.stop(guest, signal)
    await target.stop(guest, signal)
    expect([cloud.world.cvms, (await target.state(guest, signal)).status]).toEqual([[], 'stopped'])
  })
})

it('a key never goes where a redirect leads', async () => {
  const elsewhere = await PhalaCloudStandIn.start()
  opened.push(elsewhere)
  const to = (path: string) => answer(308, {}, { location: `${elsewhere.prefix}${path}` })
  const { why } = await trial({ faults: ({ faults }) => faults.add('POST /cvms/provision', to('/cvms/provision')) })
  expect([why, elsewhere.requests]).toEqual(['target-redirects', []])
})

it('a key never goes without TLS but on this machine', () => {
  const open = (prefix: string) => () => new PhalaCloud({ prefix: new URL(prefix), key: new Secret('x') })
  expect(open('http://cloud.example/api/v1')).toThrow(expect.objectContaining({ code: 'target-address-plain' }))
  expect(open('https://cloud.example/api/v1')()).toBeInstanceOf(PhalaCloud)
})

it('comes to one end wherever it is killed, with one CVM at the most, and none that was denied', async () => {
  const kills = fc.array(fc.nat(12), { maxLength: 5 }).map((steps) => new Set(steps))
  await fc.assert(
    fc.asyncProperty(kills, fc.boolean(), fc.boolean(), async (steps, salted, denied) => {
      const o = {
        ...(salted ? { world: { makes: (text: string) => text.replace('{', '{"salt":"1",') } } : {}),
        order: { unpredicted: 'start-without-secrets' as const },
        denies: () => denied,
      }
      const { cloud, state } = await trial({ ...o, kills: steps })
      expect(state).toBe(denied ? 'denied' : 'running')
      expect(cloud.world.everStarted).toBe(denied && !salted ? 0 : 1)
      expect(cloud.world.cvms.length).toBe(denied ? 0 : 1)
    }),
    { numRuns: 40 },
  )
})
