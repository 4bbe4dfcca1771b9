import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { encodeStatement, keySigner } from '../attestations/index.ts'
import { DeployDocument } from '../src/app/deploy/deploy-document.ts'
import { MANIFEST, NAME, POLICY, STATEMENT } from '../src/app/gate/testing/passing.ts'
import { ran } from '../src/cli/testing/terminal.ts'
import { openDeployRoom } from '../src/deploy-room.ts'
import { deploymentOf } from '../src/dstack/deployment.ts'
import { Secret } from '../verifier/model/secret.ts'
import { PhalaCloudStandIn } from './stand-ins/phala-cloud.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signer = keySigner({ privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() })
const signers = [{ key: publicKey.export({ type: 'spki', format: 'pem' }).toString() }]
const config = { cmd: [], workingDir: null, env: [], exposedPorts: [] }
const { appCompose } = deploymentOf({ service: 'app-one', image: `${NAME}@sha256:${MANIFEST}`, config })

let folder: string
let cloud: PhalaCloudStandIn
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-deploy-'))
  // As the hosted service would, were it given every byte: it puts no script in.
  cloud = await PhalaCloudStandIn.start({ script: null })
  await writeFile(path.join(folder, 'app-compose.json'), appCompose)
  await writeFile(
    path.join(folder, 'bundle.json'),
    await signer.sign(encodeStatement(STATEMENT), { signal: new AbortController().signal, owner: null }),
  )
})
afterEach(async () => {
  await cloud[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function deploy(appId: string, key: string | null, policy: object) {
  await writeFile(path.join(folder, 'policy.yaml'), stringify(policy))
  const at = (name: string): string => path.join(folder, name)
  const files = ['--app-compose', at('app-compose.json'), '--policy', at('policy.yaml'), '--bundle', at('bundle.json')]
  const phalaKey = key === null ? null : new Secret(key)
  const settings = { gateways: [], vmmToken: null, vmmTokenFile: null, phalaKey, phalaPrefix: new URL(`${cloud.prefix}/`) }
  const signal = new AbortController().signal
  const { exit, stdout, stderr } = await ran(
    ['deploy', '--json', ...files, '--app-id', appId],
    {},
    {
      deploying: async (choice) => await openDeployRoom(settings, choice, signal),
    },
  )
  return { exit, stdout, stderr, document: DeployDocument.safeParse(JSON.parse(stdout)).data }
}

const policyOf = (appId: string, composes: readonly string[], osImages: object) => ({
  ...POLICY,
  signers,
  attestations: { ...POLICY.attestations, maxAge: 36_500 },
  compose: { deny: ['deny'] },
  apps: { [appId]: { images: [NAME], composes, devices: 'any' } },
  osImages,
})

describe('deploy to Phala Cloud', () => {
  it('commits nothing that is denied, and what the policy then admits by the hash that was told', async () => {
    const nextId = (): string => cloud.world.nextAppIds(1)[0]?.app_id ?? ''
    const first = nextId()
    const denied = await deploy(first, cloud.apiKey, policyOf(first, [], POLICY.osImages))
    expect([denied.exit, denied.document?.verdict, cloud.asked('POST /cvms')]).toEqual([1, 'denied', []])
    const offered = denied.document?.deployment?.events.find((event) => event.kind === 'offered')?.offer
    const osImages = { [offered?.osImageHash ?? '']: { pinned: 'of this test' } }
    // An id is given once, whatever became of it.
    const second = nextId()
    const allowed = await deploy(second, cloud.apiKey, policyOf(second, [offered?.composeHash ?? ''], osImages))
    expect([allowed.exit, allowed.document?.verdict, cloud.world.everStarted]).toEqual([0, 'running', 1])
    const kept = await readFile(path.join(folder, 'app-compose.json.deploy-state.json'), 'utf8')
    for (const text of [kept, allowed.stdout, allowed.stderr]) expect(text).not.toContain(cloud.apiKey)
  })

  it('without a key is no command line', async () => {
    const { exit, stdout } = await deploy('ab'.repeat(20), null, policyOf('ab'.repeat(20), [], POLICY.osImages))
    expect([exit, JSON.parse(stdout)]).toEqual([2, expect.objectContaining({ code: 'target-key-missing' })])
  })
})
