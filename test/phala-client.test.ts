import {
  checkAppIsAllowed,
  checkCvmIsAllowed,
  createClient,
  deleteCvm,
  getAppAttestation,
  getAppEnvEncryptPubKey,
  getAppList,
  getAvailableNodes,
  getCurrentUser,
  getCvmAttestation,
  getCvmComposeFile,
  getCvmInfo,
  getCvmList,
  getCvmNetwork,
  getCvmState,
  getCvmStatusBatch,
  getKmsInfo,
  getKmsList,
  getOsImages,
  listAllInstanceTypeFamilies,
  nextAppIds,
  patchCvm,
  restartCvm,
  safeCommitCvmProvision,
  safeCommitCvmUpdate,
  safeProvisionCvm,
  shutdownCvm,
  watchCvmState,
} from '@phala/cloud'
import { afterEach, describe, expect, it } from 'vitest'
import { digestOf } from '../verifier/bytes/digest-of.ts'
import { PhalaCloudStandIn } from './stand-ins/phala-cloud.ts'

const FILE = 'services:\n  app:\n    image: docker.io/user/app@sha256:' + 'ab'.repeat(32) + '\n'
const COMPOSE = { allowed_envs: ['SECRET'], docker_compose_file: FILE, name: '', public_logs: false, public_sysinfo: false }

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

it('the client of Phala Cloud reads what the stand-in answers, in both versions', async () => {
  const cloud = await opening()
  const client = clientOf(cloud)
  const provisioned = await safeProvisionCvm(client, { name: 'app-one', compose_file: COMPOSE })
  if (!provisioned.success) throw new Error('not provisioned', { cause: provisioned.error })
  const { app_id, compose_hash } = provisioned.data
  await safeCommitCvmProvision(client, { app_id: app_id ?? '', compose_hash })
  for (const look of ['starting', 'running']) expect((await getCvmState(client, { name: 'app-one' })).status).toBe(look)
  for (const version of ['2025-10-28', '2026-01-21'] as const) {
    const versioned = client.withVersion(version)
    expect(await getCvmInfo(versioned, { app_id: app_id ?? '' })).toMatchObject({ name: 'app-one' })
    expect(await getCvmList(versioned)).toMatchObject({ total: 1 })
  }
  const attested = await getCvmAttestation(client, { name: 'app-one' })
  expect(digestOf(attested.tcb_info?.app_compose ?? '')).toBe(compose_hash)
})

describe('an update, as the client of Phala Cloud makes it', () => {
  const change = { id: 'app-one', docker_compose_file: FILE.replaceAll('ab', 'cd') }
  const transactionHash = `0x${'12'.repeat(32)}`

  async function running(kms: 'PHALA' | 'BASE') {
    const cloud = await opening()
    const client = clientOf(cloud)
    const provisioned = await safeProvisionCvm(client, { name: 'app-one', kms, compose_file: COMPOSE })
    if (!provisioned.success) throw new Error('not provisioned', { cause: provisioned.error })
    const app_id = provisioned.data.app_id ?? `0x${'ab'.repeat(20)}`
    await safeCommitCvmProvision(client, { app_id, compose_hash: provisioned.data.compose_hash })
    return { cloud, client, was: cloud.world.cvms[0]?.provision.appCompose }
  }

  it('is done at once with the KMS of Phala', async () => {
    const { cloud, client, was } = await running('PHALA')
    expect(await patchCvm(client, { ...change, prepareOnly: true })).toMatchObject({ requiresOnChainHash: false })
    expect(cloud.world.cvms[0]?.provision.appCompose).toBe(was?.replaceAll('ab'.repeat(32), 'cd'.repeat(32)))
  })

  it('waits for a contract with a KMS on a chain: 465, then 466, 467 and 468 for what does not prove it', async () => {
    const { cloud, client, was } = await running('BASE')
    const prepared = await patchCvm(client, { ...change, prepareOnly: true })
    if (!prepared.requiresOnChainHash) throw new Error('it was done at once')
    expect(cloud.world.cvms[0]?.provision.appCompose).toBe(was)
    expect(cloud.asked('PATCH /cvms/:id')[0]?.headers['x-prepare-only']).toBe('true')
    const { composeHash, commitToken = '' } = prepared
    const status = async (token: string, hash: string) => {
      const result = await safeCommitCvmUpdate(client, { id: 'app-one', token, composeHash, transactionHash: hash })
      return result.success ? 200 : 'status' in result.error ? result.error.status : 0
    }
    expect([
      await status('another', transactionHash),
      await status(commitToken, 'none'),
      await status(commitToken, transactionHash),
    ]).toEqual([466, 467, 468])
    expect(cloud.world.cvms[0]?.provision.appCompose).toBe(was)
    expect((await checkCvmIsAllowed(client, { cvmId: 'app-one', compose_hash: composeHash })).is_allowed).toBe(false)
    cloud.updates.allowedOnChain.add(composeHash)
    expect((await checkAppIsAllowed(client, { appId: 'ab'.repeat(20), compose_hash: composeHash })).is_allowed).toBe(true)
    expect(await status(commitToken, transactionHash)).toBe(200)
    expect(digestOf(cloud.world.cvms[0]?.provision.appCompose ?? '')).toBe(composeHash)
  })
})

it('its client follows a guest by events, and reads everything else that there is', async () => {
  const cloud = await opening()
  const client = clientOf(cloud)
  const provisioned = await safeProvisionCvm(client, { name: 'app-one', compose_file: COMPOSE })
  if (!provisioned.success) throw new Error('not provisioned', { cause: provisioned.error })
  const { app_id, compose_hash } = provisioned.data
  await safeCommitCvmProvision(client, { app_id: app_id ?? '', compose_hash })
  const seen: string[] = []
  const state = await watchCvmState(
    client,
    { id: 'app-one', target: 'running', interval: 5, timeout: 10, maxRetries: 1, retryDelay: 0 },
    { onEvent: ({ type }) => seen.push(type) },
  )
  expect([state.status, seen]).toEqual(['running', ['state', 'state', 'state', 'complete']])
  const [uuid] = cloud.world.cvms.map(({ vmUuid }) => vmUuid)
  expect(await getCvmStatusBatch(client, { vmUuids: [uuid ?? ''] })).toMatchObject({ [uuid ?? '']: { status: 'running' } })
  expect(await getCvmNetwork(client, { id: uuid ?? '' })).toMatchObject({ is_online: true })
  expect(await getAppAttestation(client, { appId: app_id ?? '' })).toMatchObject({ instances: [{ name: 'app-one' }] })
  expect((await getCvmComposeFile(client, { name: 'app-one' })).docker_compose_file).toBe(FILE)
  expect((await getAvailableNodes(client)).nodes.map(({ teepod_id }) => teepod_id)).toEqual([16])
  const [kms] = (await getKmsList(client)).items
  expect((await getKmsInfo(client, { kms_id: kms?.id ?? '' })).slug).toBe('phala-prod8')
  expect(await getAppEnvEncryptPubKey(client, { kms: kms?.id ?? '', app_id: app_id ?? '' })).toMatchObject({
    public_key: cloud.world.keyOf(app_id ?? '').published,
  })
  expect((await nextAppIds(client, { counts: 3 })).app_ids).toHaveLength(3)
  expect((await getOsImages(client)).total).toBe(1)
  expect((await listAllInstanceTypeFamilies(client)).result).toHaveLength(1)
  for (const version of ['2025-10-28', '2026-01-21'] as const) {
    expect(await getCurrentUser(client.withVersion(version))).toBeDefined()
    expect((await getAppList(client.withVersion(version))).total).toBe(1)
  }
  await restartCvm(client, { id: 'app-one' })
  await shutdownCvm(client, { id: 'app-one' })
  await deleteCvm(client, { id: 'app-one' })
  expect(cloud.world.cvms).toEqual([])
})

it('anybody may read what an app attests, and nothing else without the key', async () => {
  const cloud = await opening()
  expect((await fetch(`${cloud.prefix}/apps/${'ab'.repeat(20)}/attestations`)).status).toBe(404)
  expect((await fetch(`${cloud.prefix}/cvms/app-one`)).status).toBe(401)
})
