import { z } from 'zod'
import { Sha256 } from '../../verifier/model/digest.ts'

/** With or without `0x`, as they come from a chain or not; read without. */
const bare = (text: string): string => text.replace(/^0x/, '')
const Hex20 = z
  .string()
  .regex(/^(?:0x)?[0-9a-f]{40}$/)
  .transform(bare)
const Hex32 = z
  .string()
  .regex(/^(?:0x)?[0-9a-f]{64}$/)
  .transform(bare)
const Digest = Hex32.pipe(Sha256)
const orNull = <S extends z.ZodType>(schema: S) => schema.nullish().transform((value) => value ?? null)

/** POST /cvms/provision, phase 1: a hash, and not the bytes that it is of. */
export const Provisioned = z.object({
  compose_hash: Digest,
  /** None where a contract on a chain gives it. */
  app_id: orNull(Hex20),
  app_env_encrypt_pubkey: orNull(Hex32),
  os_image_hash: orNull(Digest),
  device_id: orNull(Digest),
})

/** GET /kms/phala/next_app_id */
export const NextAppIds = z.object({ app_ids: z.array(z.object({ app_id: Hex20, nonce: z.int().nonnegative() })).max(100) })

/** Without dashes, as paths have it. */
const Uuid = z
  .string()
  .regex(/^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/)
  .transform((text) => text.replaceAll('-', ''))
const Domain = z
  .string()
  .max(253)
  .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/)

/** POST /cvms, phase 2. */
export const Committed = z.object({ vm_uuid: Uuid })

/** GET /cvms/{id}, of both versions of the API. */
export const Cvm = z.object({
  name: z.string(),
  app_id: orNull(Hex20),
  vm_uuid: orNull(Uuid),
  /** Empty until the guest has one. */
  instance_id: orNull(z.union([z.literal('').transform(() => null), Hex20])),
  compose_hash: orNull(Digest),
  gateway: orNull(z.object({ base_domain: orNull(Domain) })),
  gateway_domain: orNull(Domain),
})

/** GET /cvms/{id}/state */
export const CvmState = z.object({ status: z.string(), boot_error: orNull(z.string()) })

/** GET /cvms/{id}/attestation */
export const CvmAttestation = z.object({ tcb_info: orNull(z.object({ app_compose: orNull(z.string()) })) })
