import { z } from 'zod'
import type { Failure } from '../../verifier/model/failure.ts'
import { type TargetFailureCode, type TargetFailureData, targetFailure } from './target-failure.ts'

/** What an order is made of, in the words of the API; of all that a refusal names only these are repeated. */
const FIELDS = new Set([
  'name',
  'teepod_id',
  'node_id',
  'region',
  'image',
  'instance_type',
  'vcpu',
  'memory',
  'disk_size',
  'kms',
  'app_id',
  'nonce',
  'compose_file',
  'compose_hash',
  'encrypted_env',
  'docker_compose_file',
  'allowed_envs',
  'pre_launch_script',
  'storage_fs',
])

const Items = z.array(z.unknown()).max(100)
const Word = z.string().max(128)
/** `detail` is a text, a list of what does not validate, or, with a code of its own, an object. */
const Refusal = z.object({
  detail: z.union([
    Items.transform((items) => ({ error_code: undefined, details: items })),
    z.object({ error_code: z.string().optional().catch(undefined), details: Items.catch([]) }),
  ]),
})
const Named = z.union([z.object({ loc: Items }).transform(({ loc }) => loc), z.object({ field: Word }).transform(({ field }) => [field])])

/** By the codes of `@phala/cloud` (utils/error_codes.ts). */
const BY_CODE: Readonly<Record<string, TargetFailureCode>> = {
  'ERR-01-004': 'target-name-taken',
  'ERR-01-005': 'target-kms-on-chain',
  'ERR-01-006': 'target-kms-on-chain',
  'ERR-01-007': 'target-kms-on-chain',
  'ERR-01-008': 'target-kms-on-chain',
  'ERR-02-002': 'target-without-room',
  'ERR-02-003': 'target-without-room',
  'ERR-02-004': 'target-without-room',
  'ERR-02-005': 'target-without-room',
  'ERR-02-006': 'target-without-room',
  'ERR-02-007': 'target-without-room',
  'ERR-02-015': 'target-without-room',
  'ERR-03-002': 'target-name-taken',
  'ERR-03-003': 'target-credentials-refused',
  'ERR-03-005': 'target-credentials-refused',
  'ERR-03-007': 'target-app-taken',
  'ERR-04-001': 'target-without-room',
  'ERR-04-002': 'target-without-room',
  'ERR-04-003': 'target-without-room',
  'ERR-05-002': 'target-failing',
}

/** What an answer that is no success comes to. Its own texts are left where they are; a code and fields of the API are facts. */
export function phalaRefusal(status: number, body: unknown): Failure {
  const { error_code, details = [] } = Refusal.safeParse(body).data?.detail ?? {}
  const known = error_code !== undefined && /^ERR-\d{2}-\d{3}$/.test(error_code) ? error_code : undefined
  const fields = [...new Set(details.flatMap((item) => Named.safeParse(item).data ?? []))].filter(
    (field): field is string => typeof field === 'string' && FIELDS.has(field),
  )
  const data: TargetFailureData = {
    status,
    ...(known === undefined ? {} : { errorCode: known }),
    ...(fields.length === 0 ? {} : { fields }),
  }
  return targetFailure(BY_CODE[known ?? ''] ?? byStatus(status), data)
}

function byStatus(status: number): TargetFailureCode {
  if (status >= 500 || status === 408 || status === 425 || status === 429) return 'target-failing'
  if (status === 401 || status === 403) return 'target-credentials-refused'
  if (status === 402) return 'target-without-room'
  if (status === 409) return 'target-name-taken'
  return status >= 465 && status <= 468 ? 'target-kms-on-chain' : 'target-order-refused'
}
