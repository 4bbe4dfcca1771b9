import { STAND_IN_SCRIPT } from '../../../test/stand-ins/phala-app-compose.ts'
import { PhalaCloudStandIn } from '../../../test/stand-ins/phala-cloud.ts'
import type { PhalaWorldOptions } from '../../../test/stand-ins/phala-world.ts'
import { Secret } from '../../../verifier/model/secret.ts'
import { appComposeOf, encodeAppCompose } from '../app-compose.ts'
import { PhalaCloud } from '../phala-cloud.ts'
import { type Deploying, deploying } from './deploying.ts'

export const FILE = 'services:\n  app:\n    image: "docker.io/user/app@sha256:' + 'ab'.repeat(32) + '"\n'
export const { text: MINIMAL } = encodeAppCompose(appComposeOf({ name: 'app-one', dockerComposeFile: FILE }))
/** What the stand-in makes of it, as an earlier deployment attests it. */
export const FULL = JSON.stringify({
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
export const ENVIRONMENT = [{ name: 'SECRET', value: 'of "nobody’s" business' }]

const opened: PhalaCloudStandIn[] = []

export async function openCloud(world: PhalaWorldOptions = {}): Promise<PhalaCloudStandIn> {
  const cloud = await PhalaCloudStandIn.start(world)
  opened.push(cloud)
  return cloud
}

/** To be called after each test. */
export async function closeClouds(): Promise<void> {
  for (const cloud of opened.splice(0)) await cloud[Symbol.asyncDispose]()
}

export function targetAt(
  cloud: PhalaCloudStandIn,
  o: { readonly scripts?: readonly string[]; readonly timeout?: number } = {},
): PhalaCloud {
  return new PhalaCloud({ prefix: new URL(cloud.prefix), key: new Secret(cloud.apiKey), scripts: [STAND_IN_SCRIPT], ...o })
}

export type Trial = Omit<Deploying, 'target' | 'appCompose'> & {
  readonly appCompose?: string
  readonly world?: PhalaWorldOptions
  readonly scripts?: readonly string[]
  readonly timeout?: number
  readonly faults?: (cloud: PhalaCloudStandIn) => void
}

/** One deployment at a cloud of its own. */
export async function trial({ world = {}, scripts = [STAND_IN_SCRIPT], timeout = 30_000, faults, ...o }: Trial) {
  const cloud = await openCloud(world)
  faults?.(cloud)
  const target = targetAt(cloud, { scripts, timeout })
  return { cloud, target, ...(await deploying({ target, appCompose: MINIMAL, ...o })) }
}
