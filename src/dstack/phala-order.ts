import { z } from 'zod'
import { Failure } from '../../verifier/model/failure.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import type { Ordered } from '../app/deploy/deploy-target.ts'
import type { DeployOrder } from '../app/deploy/deployment.ts'
import { targetFailure } from './target-failure.ts'

/** Of compose file and script together (`MAX_COMPOSE_PAYLOAD_BYTES` of `@phala/cloud`). */
const MAX_BYTES = 200 * 1024
const KMS = { phala: 'PHALA', base: 'BASE', ethereum: 'ETHEREUM' } as const

/** What of an app-compose Phala Cloud is told. */
const Told = z.object({
  allowed_envs: z.array(z.string()).optional(),
  docker_compose_file: z.string(),
  gateway_enabled: z.boolean().optional(),
  kms_enabled: z.boolean().optional(),
  name: z.string().optional(),
  pre_launch_script: z.string().optional(),
  public_logs: z.boolean().optional(),
  public_sysinfo: z.boolean().optional(),
  storage_fs: z.enum(['ext4', 'zfs']).optional(),
})
export type ToldCompose = z.infer<typeof Told>

/** What it writes itself, as far as it is known to: whether it does, the hash says. */
const Written = z.object({
  features: z.array(z.enum(['kms', 'tproxy-net'])).optional(),
  local_key_provider_enabled: z.literal(false).optional(),
  manifest_version: z.literal(2),
  no_instance_id: z.literal(false).optional(),
  public_tcbinfo: z.literal(true).optional(),
  runner: z.literal('docker-compose'),
  secure_time: z.boolean().optional(),
  tproxy_enabled: z.boolean().optional(),
})
const Orderable = z.strictObject({ ...Told.shape, ...Written.shape })

export type PhalaOrder = {
  /** The app-compose of the order. */
  readonly appCompose: Readonly<Record<string, unknown>>
  /** What of it is sent. */
  readonly told: ToldCompose
  /** POST /cvms/provision, without what an app id of the order's adds. */
  readonly body: Readonly<Record<string, unknown>>
}

/**
 * An order in the words of Phala Cloud. Fails with `target-order-unsupported` for what it cannot be told, naming fields, and with
 * `target-environment-undeclared` for environment that the app-compose does not allow.
 */
export function phalaOrder({ order, appCompose, envNames }: Ordered): PhalaOrder {
  const value = jsonOf(appCompose)
  const parsed = Orderable.safeParse(value)
  if (!parsed.success) throw unsupported(parsed.error.issues.flatMap((issue) => fieldsOf(issue)))
  const told = Told.parse(parsed.data)
  const bytes = Buffer.byteLength(told.docker_compose_file) + Buffer.byteLength(told.pre_launch_script ?? '')
  if (bytes > MAX_BYTES) throw unsupported(['docker_compose_file'])
  // RFC 1123 would let it stand; Phala Cloud does not.
  if (order.name.includes('--')) throw unsupported(['name'])
  checkEnvironment(told, envNames)
  const compose_file = { ...told, allowed_envs: told.allowed_envs ?? [], name: told.name ?? '' }
  return { appCompose: z.record(z.string(), z.unknown()).parse(value), told, body: { ...placeOf(order), compose_file } }
}

/** Names that the guest would drop are refused rather than encrypted for nobody. */
export function checkEnvironment({ allowed_envs = [] }: Pick<ToldCompose, 'allowed_envs'>, names: readonly string[]): void {
  if (!names.every((name) => allowed_envs.includes(name))) throw targetFailure('target-environment-undeclared')
}

/** Name and whereabouts. Without anything said of its size it is a small one, as the client of Phala Cloud has it. */
function placeOf({ name, options }: DeployOrder): Record<string, unknown> {
  const { node, region, kms, instanceType, image, vcpu, memory, disk } = options
  const sized = instanceType !== undefined || vcpu !== undefined || memory !== undefined
  return {
    name,
    listed: false,
    kms: kmsOf(kms),
    ...(node === undefined ? {} : { teepod_id: node }),
    ...(region === undefined ? {} : { region }),
    ...(image === undefined ? {} : { image }),
    ...(sized ? {} : { instance_type: 'tdx.small' }),
    ...(instanceType === undefined ? {} : { instance_type: instanceType }),
    ...(vcpu === undefined ? {} : { vcpu }),
    ...(memory === undefined ? {} : { memory }),
    ...(disk === undefined ? {} : { disk_size: disk }),
  }
}

function kmsOf(kms = 'phala'): string {
  const known = Object.entries(KMS).find(([name]) => name === kms.toLowerCase())
  if (known === undefined) throw unsupported(['kms'])
  return known[1]
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(bytes)
  } catch (error) {
    if (error instanceof Failure) throw unsupported(['app-compose'])
    throw error
  }
}

/** Names of dstack’s, or of the order’s author: none is a text of the target’s. */
function fieldsOf(issue: z.core.$ZodIssue): string[] {
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => key.slice(0, 64)) : [String(issue.path[0] ?? 'app-compose')]
}

function unsupported(fields: readonly string[]): Failure {
  return targetFailure('target-order-unsupported', { fields: [...new Set(fields)].slice(0, 20) })
}
