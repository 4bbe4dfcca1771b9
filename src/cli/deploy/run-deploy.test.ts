import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { encodeStatement, keySigner } from '../../../attestations/index.ts'
import { DstackVmmStandIn, type VmmOptions } from '../../../test/stand-ins/dstack-vmm.ts'
import { IMAGE } from '../../../test/stand-ins/vmm-guests.ts'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { Secret } from '../../../verifier/model/secret.ts'
import { DeployDocument } from '../../app/deploy/deploy-document.ts'
import { APP_COMPOSE, APP_ID, COMPOSE_HASH, digest, POLICY, STATEMENT } from '../../app/gate/testing/passing.ts'
import { ApiClient } from '../../client/api-client.ts'
import { type FakeService, startFakeService } from '../../client/testing/fake-service.ts'
import { openDeployRoom } from '../../deploy-room.ts'
import { ran } from '../testing/terminal.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signer = keySigner({ privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() })
const key = publicKey.export({ type: 'spki', format: 'pem' }).toString()
const NAMES = { gateways: [], vmmToken: null, vmmTokenFile: null, phalaKey: null, phalaPrefix: new URL('http://127.0.0.1:1/') }
const listed = POLICY.apps[APP_ID]
const policy = { ...POLICY, signers: [{ key }], attestations: { ...POLICY.attestations, maxAge: 36_500 } }
const VALUE = 'a value that nobody is to see'

/** As far as it is tampered with. */
type Kept = { composes: Record<string, string>; deployment: { order: { options: Record<string, unknown> } } }

let folder: string
let held: AsyncDisposable[]
let policyFile: string
let bundle: string
let appCompose: string
const put = async (name: string, content: string): Promise<string> => {
  await writeFile(path.join(folder, name), content)
  return path.join(folder, name)
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-deploy-'))
  held = []
  policyFile = await put('policy.yaml', stringify(policy))
  bundle = await put('bundle.json', await signer.sign(encodeStatement(STATEMENT), { signal: new AbortController().signal, owner: null }))
  appCompose = await put('app-compose.json', APP_COMPOSE)
})
afterEach(async () => {
  for (const one of held) await one[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function vmmOf(o: VmmOptions = {}): Promise<DstackVmmStandIn> {
  const vmm = await DstackVmmStandIn.start({ gateway: 'gw.example', ...o })
  held.push(vmm)
  return vmm
}

type Deploying = {
  readonly args?: readonly string[]
  readonly service?: FakeService
  readonly signal?: AbortSignal
  readonly bundle?: boolean
}

async function deploy(vmm: DstackVmmStandIn, o: Deploying = {}) {
  const signal = o.signal ?? new AbortController().signal
  const { service } = o
  const given = pairs(o.args ?? [])
  const words: Record<string, string | null> = {
    '--app-compose': appCompose,
    '--policy': policyFile,
    '--name': 'app-one',
    '--port': '8080',
    '--target': 'dstack-vmm',
    '--vmm': vmm.url.href,
    '--image': IMAGE,
    '--os-image-hash': digest('d'),
    '--app-id': APP_ID,
    ...(o.bundle === false ? {} : { '--bundle': bundle }),
    ...(service === undefined ? {} : { '--server': service.url.href }),
    ...given,
  }
  const args = Object.entries(words).flatMap(([flag, value]) => (value === null ? [flag] : [flag, value]))
  const { exit, stdout, stderr } = await ran(
    ['deploy', '--json', ...args],
    {},
    {
      signal,
      deploying: async (choice) => await openDeployRoom(NAMES, choice, signal),
      client: async () =>
        await Promise.resolve(
          new ApiClient({ server: service?.url ?? vmm.url, token: async () => await Promise.resolve(new Secret('token')) }),
        ),
    },
  )
  const document = DeployDocument.safeParse(JSON.parse(stdout === '' ? 'null' : stdout)).data
  return { exit, stdout, stderr, document, code: document === undefined ? (JSON.parse(stdout) as { code: string }).code : null }
}

/** Flags and their values; a flag without one has none. */
function pairs(args: readonly string[]): Record<string, string | null> {
  const flags = args.map((word, at) =>
    word.startsWith('--') ? [[word, args[at + 1]?.startsWith('--') === false ? (args[at + 1] ?? null) : null]] : [],
  )
  return Object.fromEntries(flags.flat()) as Record<string, string | null>
}

const kinds = ({ document }: { readonly document: DeployDocument | undefined }) => document?.deployment?.events.map(({ kind }) => kind)

describe('deploy', () => {
  it('asks the gate, starts what it allows, and says where it runs', async () => {
    const vmm = await vmmOf()
    const first = await deploy(vmm)
    expect([first.exit, first.document?.verdict, vmm.everStarted]).toEqual([0, 'running', 1])
    expect(kinds(first)?.filter((kind) => kind !== 'state')).toEqual(['offered', 'decided', 'committing', 'committed', 'attested', 'live'])
    expect(first.document?.url).toBe(`https://${APP_ID}-8080.gw.example`)
    expect((await readdir(folder)).toSorted()).toEqual([
      'app-compose.json',
      'app-compose.json.deploy-state.json',
      'bundle.json',
      'policy.yaml',
    ])
  })

  describe('given again once it runs', () => {
    const file = (): string => path.join(folder, 'app-compose.json.deploy-state.json')

    it('asks the target, and tells how it is now; what was seen before stays', async () => {
      const vmm = await vmmOf()
      const first = await deploy(vmm)
      const kept = await readFile(file(), 'utf8')
      vmm.calls.length = 0
      const again = await deploy(vmm)
      expect([again.exit, again.document?.deployment, first.document?.now]).toEqual([0, first.document?.deployment, null])
      expect(again.document?.now).toMatchObject({ status: 'running', url: first.document?.url, why: null })
      expect(Date.parse(again.document?.now?.at ?? '')).toBeGreaterThanOrEqual(
        Date.parse(first.document?.deployment?.events.at(-1)?.at ?? ''),
      )
      expect(new Set(vmm.calls.map(({ method }) => method))).toEqual(new Set(['GetInfo']))
      expect(await readFile(file(), 'utf8')).toBe(kept)
    })

    it.each([
      ['stopped', 'deployment-gone', 'stopped'],
      ['removing', 'deployment-gone', 'stopped'],
      ['exited', 'deployment-gone', 'stopped'],
    ] as const)('says no where the guest is %s since, and starts nothing', async (status, code, seen) => {
      const vmm = await vmmOf()
      await deploy(vmm)
      for (const guest of vmm.guests) guest.status = status
      for (const again of [await deploy(vmm), await deploy(vmm, { args: ['--no-wait'] })])
        expect([
          again.exit,
          again.document?.verdict,
          again.document?.now?.status,
          again.document?.now?.why?.code,
          again.document?.url,
        ]).toEqual([1, 'gone', seen, code, null])
      expect([vmm.everStarted, vmm.called('StartVm').length]).toEqual([1, 1])
    })

    it('says no where the guest runs other bytes since', async () => {
      const vmm = await vmmOf()
      await deploy(vmm)
      for (const guest of vmm.guests) guest.configuration = { ...guest.configuration, compose_file: `${APP_COMPOSE} ` }
      const again = await deploy(vmm)
      expect([again.exit, again.document?.verdict, again.document?.now?.why?.code]).toEqual([1, 'gone', 'deployment-replaced'])
    })

    it('does not know where the guest starts anew, or the target does not answer', async () => {
      const vmm = await vmmOf()
      await deploy(vmm)
      for (const guest of vmm.guests) guest.bootProgress = 'booting'
      const starting = await deploy(vmm)
      expect([starting.exit, starting.document?.verdict, starting.document?.now?.status]).toEqual([3, null, 'starting'])
      vmm.failNext('GetInfo', 'lost')
      const lost = await deploy(vmm)
      expect([lost.exit, lost.code]).toEqual([3, 'target-unreachable'])
    })
  })

  it.each([
    ['another guest image', async () => await Promise.resolve(['--os-image-hash', digest('7')]), 'os-image'],
    ['another app', async () => await Promise.resolve(['--app-id', 'cd'.repeat(20)]), 'app-listed'],
    ['one byte more', async () => ['--app-compose', await put('other.json', `${APP_COMPOSE} `)], 'compose-admitted'],
    [
      'another policy',
      async () => ['--policy', await put('other.yaml', stringify({ ...policy, builders: [digest('1')] }))],
      'builder-admitted',
    ],
  ])('starts nothing with %s, and says why', async (_, change, rule) => {
    const vmm = await vmmOf()
    const denied = await deploy(vmm, { args: await change() })
    expect([denied.exit, denied.document?.verdict, vmm.everStarted, vmm.present]).toEqual([1, 'denied', 0, []])
    expect(vmm.called('StartVm')).toEqual([])
    const decided = denied.document?.deployment?.events.find((event) => event.kind === 'decided')
    expect(decided?.decision.rules.filter(({ result }) => result === 'fail').map((one) => one.rule)).toEqual([rule])
  })

  it('orders anew what was denied, once the policy allows it', async () => {
    const vmm = await vmmOf()
    await put('policy.yaml', stringify({ ...policy, builders: [digest('1')] }))
    expect((await deploy(vmm)).exit).toBe(1)
    await put('policy.yaml', stringify(policy))
    expect([(await deploy(vmm)).exit, vmm.everStarted]).toEqual([0, 1])
  })

  it('goes on where it was, with the same order alone', async () => {
    const vmm = await vmmOf()
    const left = await deploy(vmm, { args: ['--no-wait'] })
    expect([left.exit, left.document?.verdict, left.document?.deployment?.state]).toEqual([3, null, 'committed'])
    const other = await deploy(vmm, { args: ['--vcpu', '8'] })
    expect([other.exit, other.code, other.stderr]).toEqual([2, 'deploy-input-changed', expect.stringContaining('differs in vcpu')])
    const after = await deploy(vmm)
    expect([after.exit, after.document?.deployment?.id, vmm.everStarted]).toEqual([0, left.document?.deployment?.id, 1])
  })

  it('names a socket that is not there at once, having done nothing', async () => {
    const vmm = await vmmOf()
    for (const socket of [path.join(folder, 'none.sock'), policyFile]) {
      const none = await deploy(vmm, { args: ['--vmm', `unix:${socket}`] })
      expect([none.exit, none.code, none.stderr]).toEqual([2, 'vmm-socket-absent', expect.stringContaining(socket)])
    }
    expect((await readdir(folder)).filter((name) => name.endsWith('deploy-state.json'))).toEqual([])
  })

  it('orders anew what nothing was offered for', async () => {
    const vmm = await vmmOf()
    const leaving = new AbortController()
    vmm.failNext('ListImages', 'broken')
    vmm.onCall = () => leaving.abort()
    expect((await deploy(vmm, { signal: leaving.signal })).exit).toBe(130)
    vmm.onCall = () => {}
    const after = await deploy(vmm, { args: ['--vcpu', '8'] })
    expect([after.exit, after.document?.deployment?.order.options.vcpu, vmm.everStarted]).toEqual([0, 8, 1])
  })

  it('says that a guest did not boot, and in which words of ours', async () => {
    const vmm = await vmmOf({ script: { bootError: 'their own words' } })
    const failed = await deploy(vmm)
    expect([failed.exit, failed.document?.verdict]).toEqual([1, 'failed'])
    expect(failed.document?.deployment?.events.at(-1)).toMatchObject({ why: { code: 'deployment-boot-failed' } })
    expect(`${failed.stdout}${failed.stderr}`).not.toContain('their own words')
  })

  it('keeps what it did where it is interrupted, and says how to go on', async () => {
    const vmm = await vmmOf({ script: { hangs: true } })
    const leaving = new AbortController()
    vmm.onCall = (method) => {
      if (method === 'StartVm') setImmediate(() => leaving.abort())
    }
    const left = await deploy(vmm, { signal: leaving.signal })
    expect([left.exit, left.stderr]).toEqual([130, expect.stringContaining('the same command goes on from there')])
    vmm.script = {}
    for (const guest of vmm.present) guest.bootProgress = 'done'
    expect([(await deploy(vmm)).exit, vmm.everStarted]).toEqual([0, 1])
  })

  it('takes the bundles of a service, and has it admit the app-compose before the guest asks for its keys', async () => {
    await using service = await startFakeService()
    await put('policy.yaml', stringify({ ...policy, apps: { [APP_ID]: { ...listed, composes: [], admitters: ['local:alice'] } } }))
    const signed = await readFile(bundle)
    service.blobs.set(digestOf(signed), signed)
    service.known = [{ ...service.verification, attestations: [attestationOf(digestOf(signed))] }]
    const admittedAtStart: (readonly string[])[] = []
    const vmm = await vmmOf()
    vmm.onCall = (method) => {
      if (method === 'StartVm') admittedAtStart.push([...service.admitted.keys()])
    }
    const { exit, document } = await deploy(vmm, { service, bundle: false })
    expect([exit, document?.admission]).toEqual([0, { app: APP_ID, composeHash: COMPOSE_HASH, admitted: true, code: null }])
    expect(admittedAtStart).toEqual([[`${APP_ID}/${COMPOSE_HASH}`]])
    expect(service.admitted.get(`${APP_ID}/${COMPOSE_HASH}`)?.toString()).toBe(APP_COMPOSE)
  })

  it('tells a service what runs where, once for each deployment, and goes well without it', async () => {
    await using service = await startFakeService()
    const vmm = await vmmOf()
    const first = await deploy(vmm, { service })
    const id = first.document?.deployment?.id ?? ''
    const told = { kind: 'announced', name: 'app-one', app: APP_ID, composeHash: COMPOSE_HASH, url: `https://${APP_ID}-8080.gw.example` }
    expect([...service.announced]).toEqual([[id, told]])
    expect([first.document?.announcement?.code, first.document?.provenance]).toEqual([null, new URL(`v1/apps/${APP_ID}`, service.url).href])
    await deploy(vmm, { service })
    expect([...service.announced.keys()]).toEqual([id])
    const body = JSON.stringify({ code: 'scope-missing', detail: 'the token lacks it', hint: 'make another' })
    service.problems.push({ status: 403, body })
    const refused = await deploy(vmm, { service })
    expect([refused.exit, refused.document?.verdict, refused.document?.announcement]).toEqual([
      0,
      'running',
      { deployment: null, code: 'scope-missing' },
    ])
  })

  it('has nothing admitted that is denied for another reason', async () => {
    await using service = await startFakeService()
    const vmm = await vmmOf()
    const { exit } = await deploy(vmm, { service, args: ['--os-image-hash', digest('7')] })
    expect([exit, service.admitted.size, vmm.everStarted]).toEqual([1, 0, 0])
  })
})

describe('the environment of an app', () => {
  const WITH = JSON.stringify({ ...(JSON.parse(APP_COMPOSE) as object), allowed_envs: ['API_TOKEN'] })

  it('goes to its guest alone', async () => {
    const file = await put('with.json', WITH)
    await put(
      'policy.yaml',
      stringify({ ...policy, compose: { deny: ['deny'] }, apps: { [APP_ID]: { ...listed, composes: [digestOf(WITH)] } } }),
    )
    const env = await put('env', `# of this app\nAPI_TOKEN=${VALUE}\n`)
    const vmm = await vmmOf()
    const { exit, stdout, stderr } = await deploy(vmm, { args: ['--app-compose', file, '--env-file', env] })
    expect([exit, vmm.guests[0]?.configuration.encrypted_env]).toEqual([0, expect.stringMatching(/^[0-9a-f]{100,}$/)])
    const kept = await readFile(`${file}.deploy-state.json`, 'utf8')
    for (const text of [kept, stdout, stderr, JSON.stringify(vmm.calls)]) expect(text).not.toContain(VALUE)
  })

  it('is refused with a name that the guest would drop', async () => {
    const vmm = await vmmOf()
    const { exit, code, stdout, stderr } = await deploy(vmm, { args: ['--env-file', await put('env', `API_TOKEN=${VALUE}\n`)] })
    expect([exit, code, vmm.calls]).toEqual([2, 'deploy-environment-undeclared', []])
    expect(`${stdout}${stderr}`).toContain('API_TOKEN')
    expect(`${stdout}${stderr}`).not.toContain(VALUE)
  })
})

describe('a state file', () => {
  it.each([
    ['of something else', '{}'],
    ['cut off', '{"schema":"bitwitness/deploy-state/v1"'],
  ])('%s is refused, and nothing is done', async (_, text) => {
    const vmm = await vmmOf()
    await put('app-compose.json.deploy-state.json', text)
    expect(await deploy(vmm)).toMatchObject({ exit: 3, code: 'deploy-state-unreadable' })
    expect(vmm.calls).toEqual([])
  })

  it.each([
    ['another order than its flags say', (state: Kept) => void (state.deployment.order.options['vcpu'] = 8)],
    [
      'other bytes than their name says',
      (state: Kept) => void (state.composes[COMPOSE_HASH] = Buffer.from(`${APP_COMPOSE} `).toString('base64')),
    ],
  ])('whose state has %s starts nothing', async (_, change) => {
    const vmm = await vmmOf()
    await deploy(vmm, { args: ['--no-wait'] })
    const file = `${appCompose}.deploy-state.json`
    const state = JSON.parse(await readFile(file, 'utf8')) as Kept
    const forged = { ...state, deployment: { ...state.deployment, state: 'ordered', events: [] } }
    change(forged)
    await writeFile(file, JSON.stringify(forged))
    const { code } = await deploy(vmm)
    expect(code).toMatch(/^deploy-(?:input-changed|state-unreadable)$/)
    expect(vmm.guests).toHaveLength(1)
  })

  it('whose state is not what its events say is refused', async () => {
    const vmm = await vmmOf()
    await deploy(vmm, { args: ['--no-wait'] })
    const file = path.join(folder, 'app-compose.json.deploy-state.json')
    await writeFile(file, (await readFile(file, 'utf8')).replace('"state": "committed"', '"state": "running"'))
    expect((await deploy(vmm)).code).toBe('deploy-state-unreadable')
  })
})

function attestationOf(sha256: ReturnType<typeof digestOf>) {
  const id = '0193a1b2-0000-7000-8000-0000000000bb'
  const links = { bundle: `/v1/blobs/${sha256}` }
  return {
    id,
    verification: id,
    predicateType: 'bitwitness:reproduced/v1',
    bundle: sha256,
    signer: 'key',
    createdAt: '2026-01-01T00:00:00Z',
    links,
  }
}
