import { generateKeyPairSync } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { encodeStatement, keySigner } from '../attestations/index.ts'
import { DeployDocument } from '../src/app/deploy/deploy-document.ts'
import { APP_ID, digest, MANIFEST, POLICY, PREDICATE, STATEMENT } from '../src/app/gate/testing/passing.ts'
import { writeBuiltImage } from '../src/app/testing/built-image.ts'
import { ID, startFakeService, verificationOf } from '../src/client/testing/fake-service.ts'
import { digestOf } from '../verifier/bytes/digest-of.ts'
import { writeTar } from '../verifier/explain/testing/trees.ts'
import { type CliEnd, CliProcess } from './cli-process.ts'
import { RegistryServer } from './registry-server.ts'
import { DstackVmmStandIn } from './stand-ins/dstack-vmm.ts'
import { type StandInGateway, startStandInGateway } from './stand-ins/guest-agent.ts'
import { IMAGE } from './stand-ins/vmm-guests.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signer = keySigner({ privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() })
const signal = new AbortController().signal
const listed = POLICY.apps[APP_ID]

let folder: string
let registry: RegistryServer
let gateway: StandInGateway
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-deploy-command-'))
  registry = await RegistryServer.start(path.join(folder, 'registry'))
  gateway = await startStandInGateway()
  await writeFile(path.join(folder, 'authority.pem'), gateway.authority)
})
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await registry?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
})

/** A build of its own in a folder of its own, a service that rebuilds it as it is told, and a VMM behind the gateway. */
async function place(name: string) {
  const build = path.join(folder, name)
  const tar = await writeTar(path.join(folder, `${name}.tar`), { 'opt/app/server.js': `// ${name}` })
  await mkdir(path.join(folder, `${name}-source`))
  await writeFile(path.join(folder, `${name}-source`, 'mkosi.conf'), '[Output]\nFormat=tar\n')
  const manifest = await writeBuiltImage(build, await readFile(tar))
  const image = manifest.artifacts[0]?.oci?.manifest ?? digest('0')
  const imageName = `${registry.host}/acme/${name}`
  const policy = {
    ...POLICY,
    signers: [{ key: publicKey.export({ type: 'spki', format: 'pem' }).toString() }],
    attestations: { ...POLICY.attestations, maxAge: 36_500 },
    images: { [imageName]: { source: 'app' } },
    compose: { deny: ['deny'] },
    apps: { [APP_ID]: { ...listed, images: [imageName], composes: [], admitters: ['local:alice'] } },
  }
  const policyFile = path.join(folder, `${name}.yaml`)
  await writeFile(policyFile, stringify(policy))
  const service = await startFakeService()
  const statement = JSON.parse(JSON.stringify({ ...STATEMENT, predicate: PREDICATE }).replaceAll(MANIFEST, image)) as typeof STATEMENT
  const bundle = Buffer.from(await signer.sign(encodeStatement(statement), { signal, owner: null }))
  service.blobs.set(digestOf(bundle), bundle)
  const links = { bundle: `/v1/blobs/${digestOf(bundle)}` }
  const attestation = {
    id: ID,
    verification: ID,
    predicateType: 'bitwitness:reproduced/v1',
    bundle: digestOf(bundle),
    signer: 'key',
    createdAt: '2026-01-01T00:00:00Z',
    links,
  }
  service.verification = verificationOf({ state: 'finished', verdict: 'reproduced', tier: 'bit-exact', attestations: [attestation] })
  const vmm = await DstackVmmStandIn.start({
    gateway: gateway.base,
    token: 'token-of-the-vmm',
    onBoot: ({ appId, instanceId, configuration }) =>
      gateway.start({ appId, instanceId, appCompose: configuration.compose_file, osImageHash: digest('d') }),
  })
  const words = [
    'deploy',
    build,
    '--json',
    '--to',
    imageName,
    '--source',
    path.join(folder, `${name}-source`),
    '--server',
    service.url.href,
    '--policy',
    policyFile,
  ]
  const target = ['--target', 'dstack-vmm', '--vmm', vmm.url.href, '--image', IMAGE, '--os-image-hash', digest('d'), '--app-id', APP_ID]
  const args = [...words, ...target, '--name', 'app-one', '--port', '8080', '--health', '/healthz']
  const environment = {
    BITWITNESS_TOKEN: 'token-of-the-service',
    BITWITNESS_VMM_TOKEN: 'token-of-the-vmm',
    BITWITNESS_GATEWAYS: gateway.setting,
    NODE_EXTRA_CA_CERTS: path.join(folder, 'authority.pem'),
  }
  const home = path.join(folder, `${name}-home`)
  const run = (o: { readonly stopAt?: readonly string[] } = {}): CliProcess =>
    new CliProcess(args, { ...o, home, engine: 'unix:///nowhere', environment })
  return {
    run,
    service,
    vmm,
    image,
    build,
    policyFile,
    async [Symbol.asyncDispose]() {
      await vmm[Symbol.asyncDispose]()
      await service[Symbol.asyncDispose]()
      gateway.stop(APP_ID)
    },
  }
}

function documentOf({ stdout, stderr }: CliEnd): DeployDocument {
  if (stdout === '') throw new Error(stderr)
  return DeployDocument.parse(JSON.parse(stdout))
}

describe('deploy', () => {
  it('pushes, has rebuilt, asks the gate, has it admitted, starts it, and says where it answers', async () => {
    await using here = await place('whole')
    const end = await here.run().ended()
    const document = documentOf(end)
    expect([end.code, document.verdict]).toEqual([0, 'running'])
    expect(document.pushed?.image).toContain(`@sha256:${here.image}`)
    const headers = { accept: 'application/vnd.oci.image.manifest.v1+json' }
    const pushed = await fetch(`http://${registry.host}/v2/acme/whole/manifests/sha256:${here.image}`, { headers })
    expect([pushed.status, digestOf(Buffer.from(await pushed.arrayBuffer()))]).toEqual([200, here.image])
    expect(here.service.requests.at(-1)?.claims).toMatchObject([{ kind: 'oci-manifest', sha256: here.image }])
    expect(document.verification).toMatchObject({
      id: ID,
      verdict: 'reproduced',
      url: new URL(`v1/verifications/${ID}`, here.service.url).href,
    })
    expect(document.admission).toEqual({ app: APP_ID, composeHash: document.pushed?.composeHash, admitted: true, code: null })
    expect(document.url).toBe(`https://${APP_ID}-8080.${gateway.base}`)
    const announced = { kind: 'announced', app: APP_ID, composeHash: document.pushed?.composeHash, url: document.url }
    expect([...here.service.announced]).toEqual([[document.deployment?.id, expect.objectContaining(announced)]])
    expect(document.provenance).toBe(new URL(`v1/apps/${APP_ID}`, here.service.url).href)
    expect(document.deployment?.events.at(-1)).toMatchObject({ kind: 'live', answers: [{ path: '/' }, { path: '/healthz' }] })
    expect(gateway.asked).toEqual(
      expect.arrayContaining([`GET ${APP_ID}-8080.${gateway.base} /`, `GET ${APP_ID}-8080.${gateway.base} /healthz`]),
    )
    expect(here.vmm.everStarted).toBe(1)
    const kept = await readFile(path.join(here.build, 'deploy-state.json'), 'utf8')
    for (const text of [kept, end.stdout, end.stderr])
      for (const token of ['token-of-the-service', 'token-of-the-vmm']) expect(text).not.toContain(token)
  })

  it('says nothing of the registry to a service that may not fetch from it', async () => {
    await using here = await place('private')
    here.service.refusesLocations = true
    const end = await here.run().ended()
    expect([end.code, documentOf(end).verdict]).toEqual([0, 'running'])
    const locations = here.service.requests.flatMap(({ claims }) => claims.map(({ location }) => location))
    expect(new Set(locations)).toEqual(new Set([null]))
    expect(end.stderr).toContain('a difference would not be explained')
  })

  it('starts nothing where the rebuild gives something else', async () => {
    await using here = await place('mismatch')
    here.service.verification = { ...here.service.verification, verdict: 'mismatch', tier: null, attestations: [] }
    const end = await here.run().ended()
    expect([end.code, documentOf(end).verdict, here.vmm.calls, here.service.admitted.size]).toEqual([1, 'failed', [], 0])
  })

  it('starts nothing that the policy denies, though it was rebuilt', async () => {
    await using here = await place('denied')
    const policy = await readFile(here.policyFile, 'utf8')
    await writeFile(here.policyFile, policy.replace('https://git.example/app/image.git', 'https://git.example/other.git'))
    const end = await here.run().ended()
    expect([end.code, documentOf(end).verdict, here.vmm.everStarted, here.vmm.present, here.service.admitted.size]).toEqual([
      1,
      'denied',
      0,
      [],
      0,
    ])
  })

  // After each step was kept, and in the midst of each, as the VMM hears of it.
  it.each([
    ['after', ['config:', 'layer:', 'sending the source', 'submitted ', 'offered', 'decided', 'starting', 'started', 'guest ']],
    ['within', ['ListImages', 'GetComposeHash', 'Status', 'CreateVm', 'GetInfo', 'StartVm']],
  ] as const)('killed %s each step goes on to one guest and one verdict', async (when, points) => {
    await using here = await place(`killed-${when}`)
    let killed = 0
    for (const point of points) {
      const child = here.run(when === 'after' ? { stopAt: [point] } : {})
      if (when === 'within')
        here.vmm.onCall = (method) => {
          if (method === point) child.child.kill('SIGKILL')
        }
      else {
        // What an earlier run did already is not done, nor said, again.
        await child.stoppedAt(point).catch(() => {})
        child.child.kill('SIGKILL')
      }
      const end = await child.ended()
      if (end.signal === 'SIGKILL') killed += 1
    }
    here.vmm.onCall = () => {}
    const end = await here.run().ended()
    expect([end.code, documentOf(end).verdict, here.vmm.everStarted, here.vmm.guests.length]).toEqual([0, 'running', 1, 1])
    expect(killed).toBeGreaterThanOrEqual(points.length - 2)
    expect(new Set(here.service.keys).size).toBe(1)
  })
})
