import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PhalaCloudStandIn } from './stand-ins/phala-cloud.ts'

const PROGRAM = fileURLToPath(import.meta.resolve('phala'))
const FILE = 'services:\n  app:\n    image: docker.io/user/app@sha256:' + 'ab'.repeat(32) + '\n'

let cloud: PhalaCloudStandIn
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-phala-'))
  await writeFile(path.join(folder, 'docker-compose.yml'), FILE)
  cloud = await PhalaCloudStandIn.start()
})
afterAll(async () => {
  await cloud[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** Phala's own program, of this machine nothing but Node. */
async function phala(...args: readonly string[]) {
  const env = { HOME: folder, PHALA_CLOUD_API_KEY: cloud.apiKey, PHALA_CLOUD_API_PREFIX: cloud.prefix }
  return await execa(process.execPath, [PROGRAM, ...args], { cwd: folder, extendEnv: false, env, reject: false, timeout: 60_000 })
}
const jsonOf = (text: string): unknown => JSON.parse(text.slice(text.indexOf('{')))
const DEPLOY = ['deploy', '--node-id', '16', '--kms', 'phala', '-c', 'docker-compose.yml', '--wait', '--json'] as const

it('the program of Phala Cloud deploys, looks, stops and deletes at the stand-in', async () => {
  const deployed = await phala(...DEPLOY, '-n', 'app-one', '-e', 'SECRET=x')
  const [cvm] = cloud.world.cvms
  expect([deployed.exitCode, jsonOf(deployed.stdout)]).toEqual([
    0,
    expect.objectContaining({ success: true, app_id: cvm?.appId, vm_uuid: cvm?.vmUuid, name: 'app-one' }),
  ])
  expect(cvm?.environment).toEqual([{ key: 'SECRET', value: 'x' }])
  expect(cloud.asked('POST /cvms').map(({ headers }) => headers['x-phala-version'])).toEqual(['2025-10-28'])

  for (const version of ['2025-10-28', '2026-01-21']) {
    const listed = await phala('cvms', 'list', '--json', '--api-version', version)
    expect([listed.exitCode, listed.stdout]).toEqual([0, expect.stringContaining(cvm?.appId ?? 'none')])
    const shown = await phala('cvms', 'get', 'app-one', '--json', '--api-version', version)
    expect([shown.exitCode, jsonOf(shown.stdout)]).toEqual([0, expect.objectContaining({ success: true, name: 'app-one' })])
  }
  if (cvm !== undefined) cvm.status = 'running'
  const attested = await phala('cvms', 'attestation', 'app-one', '--json')
  expect(jsonOf(attested.stdout)).toMatchObject({ success: true, tcb_info: { app_compose: cvm?.provision.appCompose } })
  for (const command of ['stop', 'start', 'restart']) expect((await phala('cvms', command, 'app-one')).exitCode).toBe(0)
  expect((await phala('cvms', 'delete', 'app-one', '-y')).exitCode).toBe(0)
  expect(cloud.world.cvms).toEqual([])
})

it('the program of Phala Cloud is told of a name that is taken, and of an account that may not', async () => {
  await phala(...DEPLOY, '-n', 'app-two')
  const taken = await phala(...DEPLOY, '-n', 'app-two')
  expect([taken.exitCode, taken.stdout + taken.stderr]).toEqual([1, expect.stringContaining('a CVM has this name')])
  cloud.faults.add('POST /cvms/provision', { kind: 'answer', status: 403, body: { detail: 'not this account' } }, 1)
  const refused = await phala(...DEPLOY, '-n', 'app-three')
  expect([refused.exitCode, refused.stdout + refused.stderr]).toEqual([1, expect.stringContaining('not this account')])
  expect(cloud.world.cvms).toHaveLength(1)
})

it('the program of Phala Cloud puts an SSH key of its user into the environment unasked, which an order of ours never has', async () => {
  await mkdir(path.join(folder, '.ssh'))
  await writeFile(path.join(folder, '.ssh', 'id_ed25519.pub'), 'ssh-ed25519 somebody\n')
  await phala(...DEPLOY, '-n', 'app-four')
  expect(cloud.world.cvms.at(-1)?.environment).toEqual([{ key: 'DSTACK_AUTHORIZED_KEYS', value: 'ssh-ed25519 somebody' }])
  await phala(...DEPLOY, '-n', 'app-five', '--no-dev-os')
  expect(cloud.world.cvms.at(-1)?.environment).toEqual([])
})
