import { z } from 'zod'

/**
 * What dstack-vmm answers (vmm/rpc/proto/vmm_rpc.proto, in its JSON form), as far as it is needed. Keys that are not known are passed over, and a
 * value that is not set may be absent or null.
 */
const Text = z.string().max(64 * 1024)
const optionalText = Text.nullish().transform((text) => (text === undefined || text === '' ? null : text))
const count = z.int().nonnegative()
const VmId = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/)

export const CreatedVm = z.object({ id: VmId })
export const ComposeHashAnswer = z.object({ hash: z.string().max(256) })
export const ImageList = z.object({
  images: z.array(z.object({ name: z.string().max(512), is_dev: z.boolean().default(false) })).max(1000),
})

export const VmConfiguration = z.object({
  name: Text,
  image: Text,
  /** The bytes that were given, as text. */
  compose_file: z.string().max(1 << 20),
  vcpu: count,
  memory: count,
  disk_size: count,
  app_id: optionalText,
  user_config: z
    .string()
    .max(1 << 20)
    .nullish()
    .transform((text) => text ?? ''),
  no_tee: z.boolean().default(false),
  simulated_tee: optionalText,
  kms_urls: z.array(Text).max(100).default([]),
  gateway_urls: z.array(Text).max(100).default([]),
})
export type VmConfiguration = z.infer<typeof VmConfiguration>

export const VmInfo = z.object({
  id: VmId,
  name: Text,
  status: z.string().max(64),
  app_id: Text,
  app_url: optionalText,
  instance_id: optionalText,
  boot_progress: Text.default(''),
  boot_error: z
    .string()
    .max(64 * 1024)
    .default(''),
  /** Null: it was asked for in brief. */
  configuration: VmConfiguration.nullish().transform((one) => one ?? null),
})
export type VmInfo = z.infer<typeof VmInfo>

export const GetInfoAnswer = z.object({ found: z.boolean(), info: VmInfo.nullish().transform((one) => one ?? null) })
export const StatusAnswer = z.object({ vms: z.array(VmInfo).max(1000), total: count.default(0) })
export const EnvKeyAnswer = z.object({ public_key: z.string().regex(/^(?:0x)?[0-9a-fA-F]{64}$/) })
