import { z } from 'zod'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { GuestFacts } from './facts.ts'

/** Bytes of a message of dstack's, at most: key provider info is the longest part of one, and a few hundred bytes long. */
export const MOST_MESSAGE_BYTES = 64 * 1024

/** What a guest is, as its KMS or gateway measured it. Hex in small letters, without 0x. */
export type BootInfo = {
  readonly by: GuestFacts['by']
  readonly appId: string
  readonly composeHash: Sha256
  /** Empty where the app has none. */
  readonly instanceId: string
  readonly deviceId: string
  readonly mrAggregated: string
  readonly mrSystem: string
  readonly osImageHash: Sha256
  /** Null: a gateway does not say. */
  readonly tcb: { readonly status: string; readonly advisories: readonly string[] } | null
}

/**
 * Exactly so many bytes as hex, with or without `0x`. A shorter one that is filled up can equal what is allowed (a compose hash of 31 bytes), so
 * nothing is filled up.
 */
const hex = (bytes: number) =>
  z
    .string()
    .max(2 + 2 * bytes)
    .regex(new RegExp(`^(?:0x)?[0-9a-fA-F]{${2 * bytes}}$`))
    .transform((text) => text.replace(/^0x/, '').toLowerCase())
const sha256 = hex(32).pipe(Sha256)
const some = z
  .string()
  .max(32 * 1024)
  .regex(/^(?:0x)?(?:[0-9a-fA-F]{2})*$/)
const optionalId = z.union([z.literal(''), z.literal('0x').transform(() => ''), hex(20)])

/** `PolicyBootInfo` (dstack, verifier/src/types.rs), as a KMS posts it. Keys that are not known are passed over: later versions add some. */
export const KmsBootInfo = z
  .object({
    teeVariant: z.string().min(1).max(64).optional(),
    mrAggregated: hex(32),
    osImageHash: sha256,
    mrSystem: hex(32),
    appId: hex(20),
    composeHash: sha256,
    instanceId: optionalId,
    deviceId: hex(32),
    keyProviderInfo: some.optional(),
    tcbStatus: z.string().max(64),
    advisoryIds: z.array(z.string().max(64)).max(256),
  })
  .transform(
    ({ tcbStatus, advisoryIds, mrAggregated, osImageHash, mrSystem, appId, composeHash, instanceId, deviceId }): BootInfo => ({
      by: 'kms',
      appId,
      composeHash,
      instanceId,
      deviceId,
      mrAggregated,
      mrSystem,
      osImageHash,
      tcb: { status: tcbStatus, advisories: advisoryIds },
    }),
  )

/** What a gateway posts before it gives traffic (dstack, gateway/src/main_service/auth_client.rs). */
export const GatewayAppInfo = z
  .object({
    app_id: hex(20),
    compose_hash: sha256,
    instance_id: optionalId,
    device_id: hex(32),
    mr_system: hex(32),
    mr_aggregated: hex(32),
    os_image_hash: sha256,
    key_provider_info: some,
    init_script_hashes: z.array(some).max(5).nullish(),
  })
  .transform(
    (info): BootInfo => ({
      by: 'gateway',
      appId: info.app_id,
      composeHash: info.compose_hash,
      instanceId: info.instance_id,
      deviceId: info.device_id,
      mrAggregated: info.mr_aggregated,
      mrSystem: info.mr_system,
      osImageHash: info.os_image_hash,
      tcb: null,
    }),
  )

/** What a KMS or a gateway says, whichever of the two it is. Fails with `boot-info-malformed`. */
export function readBootInfo(value: unknown): BootInfo {
  const kms = KmsBootInfo.safeParse(value)
  const gateway = GatewayAppInfo.safeParse(value)
  const info = kms.data ?? gateway.data
  if (info !== undefined) return info
  // They have no name in common, so that the names tell which of the two it was meant to be.
  const known = Object.keys(GatewayAppInfo.in.shape).some(
    (name) => typeof value === 'object' && value !== null && Object.hasOwn(value, name),
  )
  throw bootInfoMalformed(fieldsOf(known ? gateway.error : kms.error))
}

/** Which fields are missing or of another form; none where something is no object at all. */
export function fieldsOf(error: z.ZodError | undefined): readonly string[] {
  return [...new Set(error?.issues.flatMap(({ path: [field] }) => (field === undefined ? [] : [String(field)])))]
}

/** Of something that is neither. `fields`: as the schemas above name them, and not as anybody sent them. */
export function bootInfoMalformed(fields: readonly string[] = []): Failure {
  const which = fields.length === 0 ? '' : `: missing, or of another form: ${fields.join(', ')}`
  return new Failure({
    code: 'boot-info-malformed',
    message: `it is not what a KMS or a gateway of dstack says of a guest${which}`,
    data: { fields },
    hint: 'every measurement is hex of its exact length; see docs/policy.md',
  })
}
