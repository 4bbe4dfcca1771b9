import {
  createClient,
  encryptEnvVars,
  getComposeHash,
  getCvmInfo,
  getCvmState,
  safeCommitCvmProvision,
  safeProvisionCvm,
} from '@phala/cloud'
import { afterEach, describe, expect, it } from 'vitest'
import type { Ordered } from '../src/app/deploy/deploy-target.ts'
import { DeployOrder } from '../src/app/deploy/deployment.ts'
import { encryptEnvironment } from '../src/dstack/encrypt-environment.ts'
import { PhalaCloud } from '../src/dstack/phala-cloud.ts'
import { digestOf } from '../verifier/bytes/digest-of.ts'
import { Secret } from '../verifier/model/secret.ts'
import { EnvironmentKey } from './stand-ins/environment-key.ts'
import { PhalaCloudStandIn, type PhalaRequest } from './stand-ins/phala-cloud.ts'

const FILE = 'services:\n  app:\n    image: docker.io/user/app@sha256:' + 'ab'.repeat(32) + '\n'
const COMPOSE = { allowed_envs: ['SECRET'], docker_compose_file: FILE, name: '', public_logs: false, public_sysinfo: false }
const APP_COMPOSE = Buffer.from(JSON.stringify({ ...COMPOSE, manifest_version: 2, runner: 'docker-compose' }))
const { signal } = new AbortController()

const opened: PhalaCloudStandIn[] = []
afterEach(async () => {
  for (const standIn of opened.splice(0)) await standIn[Symbol.asyncDispose]()
})
async function opening(): Promise<PhalaCloudStandIn> {
  const cloud = await PhalaCloudStandIn.start()
  opened.push(cloud)
  return cloud
}
const clientOf = ({ prefix, apiKey }: PhalaCloudStandIn) => createClient({ baseURL: prefix, apiKey })

/** As far as it matters to who answers. */
function essence({ method, path, headers, body }: PhalaRequest) {
  const { accept, 'content-type': type, 'x-api-key': key, 'x-phala-version': version } = headers
  return { method, path, accept, type, key, version, body: JSON.parse(body) as Record<string, unknown> }
}

describe('beside the client of Phala Cloud', () => {
  it('provisions and commits with the same requests', async () => {
    const [theirs, ours] = [await opening(), await opening()]
    const client = clientOf(theirs)
    const provisioned = await safeProvisionCvm(client, { name: 'app-one', node_id: 16, kms: 'PHALA', listed: false, compose_file: COMPOSE })
    if (!provisioned.success) throw new Error('the client does not take what the stand-in answers', { cause: provisioned.error })
    const { app_id, compose_hash, app_env_encrypt_pubkey } = provisioned.data
    const encrypted_env = await encryptEnvVars([{ key: 'SECRET', value: 'x' }], app_env_encrypt_pubkey ?? '')
    const committed = await safeCommitCvmProvision(client, { app_id: app_id ?? '', compose_hash, encrypted_env })
    expect(committed.success).toBe(true)
    // What is hashed is what its own function hashes.
    expect(getComposeHash(JSON.parse(theirs.world.cvms[0]?.provision.appCompose ?? '{}') as never)).toBe(compose_hash)

    const target = new PhalaCloud({ prefix: new URL(ours.prefix), key: new Secret(ours.apiKey) })
    const order = DeployOrder.parse({ name: 'app-one', appCompose: digestOf(APP_COMPOSE), options: { node: 16, kms: 'phala' } })
    const ordered: Ordered = { order, appCompose: APP_COMPOSE, envNames: ['SECRET'] }
    const { offer } = await target.offer(ordered, signal)
    await target.commit({ ordered, offer, environment: [{ name: 'SECRET', value: 'x' }] }, signal)

    const writes = ({ requests }: PhalaCloudStandIn) => requests.filter(({ method }) => method !== 'GET').map(essence)
    const [provision, commit] = writes(theirs)
    const [ourProvision, ourCommit, ...more] = writes(ours)
    expect(more).toEqual([])
    expect(ourProvision).toEqual(provision)
    expect(ourCommit).toEqual({ ...commit, body: { ...commit?.body, encrypted_env: ourCommit?.body['encrypted_env'] } })
    expect(String(ourCommit?.body['encrypted_env'])).toHaveLength(encrypted_env.length)
    expect(ours.world.cvms[0]?.environment).toEqual(theirs.world.cvms[0]?.environment)
  })

  it('encrypts what the same key opens, as its client does', async () => {
    const key = new EnvironmentKey()
    const values = ['', 'plain', 'quotes "\' and \\', 'ünïcode 💧', 'a\nb\0c', 'x'.repeat(100_000)]
    const environment = values.map((value, index) => ({ name: `NAME_${index}`, value }))
    const theirs = await encryptEnvVars(
      environment.map(({ name, value }) => ({ key: name, value })),
      key.published,
    )
    const ours = encryptEnvironment(environment, key.published)
    expect(key.open(ours)).toEqual(key.open(theirs))
    expect(encryptEnvironment(environment, key.published)).not.toBe(ours)
    expect(() => new EnvironmentKey().open(ours)).toThrow(/authenticate/)
  })

  it('encrypts to no key that shares no secret', () => {
    expect(() => encryptEnvironment([], '00'.repeat(32))).toThrow(expect.objectContaining({ code: 'target-answer-malformed' }))
  })

  it('its client takes the key wherever a redirect leads, and repeats what the other side says: so it is not used', async () => {
    const [cloud, elsewhere] = [await opening(), await opening()]
    cloud.faults.add('GET /cvms/:id', {
      kind: 'answer',
      status: 308,
      headers: { location: `${elsewhere.prefix.replace('127.0.0.1', 'localhost')}/cvms/app-one` },
    })
    await getCvmInfo(clientOf(cloud), { id: 'app-one' }).catch(() => {})
    expect(elsewhere.requests.map(({ headers }) => headers['x-api-key'])).toEqual([cloud.apiKey])
    cloud.faults.add('GET /cvms/:id/state', { kind: 'answer', status: 500, body: { detail: 'a text of theirs' } })
    await expect(getCvmState(clientOf(cloud), { id: 'app-one' })).rejects.toThrow('a text of theirs')
    expect(cloud.asked('GET /cvms/:id/state')).toHaveLength(2)
  })
})
