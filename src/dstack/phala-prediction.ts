import { digestOf } from '../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import type { PhalaOrder } from './phala-order.ts'

/** What Phala Cloud adds to what it is told, as guests of dstack 0.5 and later show it. */
const ADDED = {
  features: ['kms', 'tproxy-net'],
  gateway_enabled: true,
  kms_enabled: true,
  local_key_provider_enabled: false,
  manifest_version: 2,
  no_instance_id: false,
  public_tcbinfo: true,
  runner: 'docker-compose',
  secure_time: false,
} as const
/** In some of them alone. */
const MAYBE = [{}, { tproxy_enabled: true }, { storage_fs: 'zfs' }, { storage_fs: 'zfs', tproxy_enabled: true }] as const

/**
 * The bytes that an app-compose hash is of, or null where they are none of those that can be thought of: what was ordered, byte for byte or written
 * anew; what was told, with what Phala Cloud adds, among it a pre-launch script where none was told; what was told, with all else that another app of it has.
 * A guess that is wrong does no harm: the hash would not be its.
 *
 * Phala Cloud writes keys sorted and without spaces, as `getComposeHash` of `@phala/dstack-sdk` does; four spaces are of earlier years
 * (phala-cloud, docs/api-deployment-guide.md).
 */
export function predictedBytes(
  o: {
    readonly ordered: Uint8Array
    readonly order: PhalaOrder
    readonly name: string
    readonly scripts: readonly string[]
    /** App-composes of other apps there. */
    readonly examples?: readonly Readonly<Record<string, unknown>>[]
  },
  composeHash: Sha256,
): Uint8Array | null {
  for (const bytes of candidates(o)) if (digestOf(bytes) === composeHash) return bytes
  return null
}

function* candidates({ ordered, order, name, scripts, examples = [] }: Parameters<typeof predictedBytes>[0]): Generator<Uint8Array> {
  yield ordered
  yield* written(order.appCompose)
  const told = { allowed_envs: [], ...order.told }
  const script = told.pre_launch_script === undefined ? [{}, ...scripts.map((text) => ({ pre_launch_script: text }))] : [{}]
  for (const added of script)
    for (const called of [name, told.name ?? ''])
      for (const basis of [...MAYBE.map((maybe) => ({ ...ADDED, ...maybe })), ...examples])
        yield* written({ ...basis, ...told, ...added, name: called })
}

function* written(value: Readonly<Record<string, unknown>>): Generator<Uint8Array> {
  const ordered = sorted(value)
  yield Buffer.from(JSON.stringify(ordered))
  yield Buffer.from(indented(ordered))
}

/** Keys in the order of their UTF-16 units, at every depth. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, below]) => [key, sorted(below)]))
}

/** Four spaces a level and none behind a colon: Python’s `indent=4, separators=(',', ':')`, which leaves texts as they are. */
function indented(value: unknown): string {
  return JSON.stringify(value, null, 4)
    .split('\n')
    .map((line) => line.replace(/^( *"(?:[^"\\]|\\.)*"): /, '$1:'))
    .join('\n')
}
