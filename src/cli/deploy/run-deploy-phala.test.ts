import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { encodeStatement, keySigner } from '../../../attestations/index.ts'
import { phalaAppCompose, STAND_IN_SCRIPT } from '../../../test/stand-ins/phala-app-compose.ts'
import { PhalaCloudStandIn } from '../../../test/stand-ins/phala-cloud.ts'
import { OS_IMAGE_HASH } from '../../../test/stand-ins/phala-world.ts'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { Secret } from '../../../verifier/model/secret.ts'
import { DeployDocument } from '../../app/deploy/deploy-document.ts'
import { MANIFEST, NAME, POLICY, STATEMENT } from '../../app/gate/testing/passing.ts'
import { openDeployRoom } from '../../deploy-room.ts'
import { ran } from '../testing/terminal.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signer = keySigner({ privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() })
const TOLD = {
  docker_compose_file: `services:\n  app:\n    image: "${NAME}@sha256:${MANIFEST}"\n`,
  allowed_envs: ['API_TOKEN'],
}
/** Every byte, as Phala Cloud makes it. */
const APP_COMPOSE = phalaAppCompose(TOLD, { name: 'app-one', script: STAND_IN_SCRIPT })
const TIMED = APP_COMPOSE.replace('"secure_time":false', '"secure_time":true')
const VALUE = 'a value that nobody is to see'

let folder: string
let cloud: PhalaCloudStandIn
const put = async (name: string, content: string): Promise<string> => {
  await writeFile(path.join(folder, name), content)
  return path.join(folder, name)
}
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-deploy-phala-'))
  cloud = await PhalaCloudStandIn.start()
})
afterEach(async () => {
  await cloud[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** `bitwitness deploy` with the gate as it is, its policy listing the app id that the cloud gives next. */
async function deploy(appCompose: string, change: { readonly composes?: readonly string[]; readonly more?: readonly string[] } = {}) {
  const signal = new AbortController().signal
  const appId = cloud.world.nextAppIds(1)[0]?.app_id ?? ''
  const script = { rule: 'pre-launch-script', sha256: digestOf(STAND_IN_SCRIPT) }
  const policy = {
    ...POLICY,
    signers: [{ key: publicKey.export({ type: 'spki', format: 'pem' }).toString() }],
    attestations: { ...POLICY.attestations, maxAge: 36_500 },
    compose: { deny: ['deny'], allow: [script] },
    apps: { [appId]: { images: [NAME], composes: change.composes ?? [digestOf(APP_COMPOSE)], devices: 'any' } },
    osImages: { [OS_IMAGE_HASH]: { pinned: 'of the stand-in' } },
  }
  const words = {
    'app-compose': await put('app-compose.json', appCompose),
    policy: await put('policy.yaml', stringify(policy)),
    bundle: await put('bundle.json', await signer.sign(encodeStatement(STATEMENT), { signal, owner: null })),
    'env-file': await put('env', `API_TOKEN=${VALUE}\n`),
    name: 'app-one',
    target: 'phala-cloud',
    'app-id': appId,
  }
  const none = { gateways: [], vmmToken: null, vmmTokenFile: null }
  const settings = { ...none, phalaKey: new Secret(cloud.apiKey), phalaPrefix: new URL(cloud.prefix) }
  const args = Object.entries(words).flatMap(([flag, value]) => [`--${flag}`, value])
  const { exit, stdout, stderr } = await ran(
    ['deploy', '--json', ...args, ...(change.more ?? []).map((flag) => `--${flag}`)],
    {},
    {
      signal,
      deploying: async (choice) => await openDeployRoom(settings, choice, signal),
    },
  )
  const document = DeployDocument.safeParse(JSON.parse(stdout)).data
  const decided = document?.deployment?.events.find((event) => event.kind === 'decided')
  const failed = decided?.decision.rules.filter(({ result }) => result === 'fail').map(({ rule }) => rule)
  const end = document?.deployment?.events.at(-1)
  return { exit, written: stdout + stderr, document, failed, why: end?.kind === 'ended' ? end.why.code : null }
}

it('deploys at Phala Cloud what the policy allows, byte for byte, its environment read by the guest alone', async () => {
  const { exit, document, written } = await deploy(APP_COMPOSE)
  expect(
    document?.deployment?.events.flatMap((event) =>
      event.kind === 'decided' ? event.decision.rules.filter(({ result }) => result === 'fail') : [],
    ),
  ).toEqual([])
  expect([exit, document?.verdict, written]).toEqual([0, 'running', expect.not.stringContaining(VALUE)])
  expect(written).toMatch(new RegExp(`offered .*, guest image ${OS_IMAGE_HASH}\n`))
  expect(cloud.world.cvms.map(({ provision, environment }) => [provision.appCompose, environment])).toEqual([
    [APP_COMPOSE, [{ key: 'API_TOKEN', value: VALUE }]],
  ])
  expect(JSON.stringify(cloud.requests)).not.toContain(VALUE)
})

it.each([
  [
    'a clock of its own, which Phala Cloud turns into the host’s',
    TIMED,
    { composes: [digestOf(TIMED)] },
    'deployment-denied',
    ['compose-admitted'],
  ],
  ['an app-compose that nobody admitted', APP_COMPOSE, { composes: ['ab'.repeat(32)] }, 'deployment-denied', ['compose-admitted']],
  ['another image', APP_COMPOSE.replace(MANIFEST, 'cd'.repeat(32)), {}, 'deployment-denied', ['compose-admitted', 'attested']],
  [
    'bytes that the cloud makes and does not show',
    JSON.stringify({ ...TOLD, manifest_version: 2, runner: 'docker-compose' }),
    {},
    'deployment-unpredicted',
    undefined,
  ],
] as const)('commits nothing at Phala Cloud: %s', async (_, appCompose, change, code, rules) => {
  const { exit, failed, why } = await deploy(appCompose, change)
  expect([exit, why, failed]).toEqual([1, code, rules])
  expect([cloud.world.everStarted, cloud.asked('POST /cvms'), cloud.asked('POST /cvms/provision').length]).toEqual([0, [], 1])
})

it.each([
  ['what was predicted', APP_COMPOSE, []],
  [
    'what nobody had seen',
    JSON.stringify({ ...TOLD, manifest_version: 2, runner: 'docker-compose' }),
    ['start-unpredicted-without-secrets'],
  ],
] as const)('stops at Phala Cloud %s where the guest attests more than a state file holds', async (_, appCompose, more) => {
  await cloud[Symbol.asyncDispose]()
  cloud = await PhalaCloudStandIn.start({ attests: (text) => text + ' '.repeat(1 << 20) })
  const { exit, why } = await deploy(appCompose, { more })
  expect([exit, why, cloud.world.everStarted, cloud.world.cvms.length]).toEqual([1, 'deployment-compose-differs', 1, 0])
})
