import { z } from 'zod'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'

/**
 * What dstack measures and runs (app-compose.json, manifest version 2), as far as we write it. Nothing that runs before or beside the
 * containers is in it, and no variable that could be set from outside.
 */
export const AppCompose = z.strictObject({
  manifest_version: z.literal(2),
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,254}$/),
  runner: z.literal('docker-compose'),
  docker_compose_file: z.string().min(1),
  kms_enabled: z.boolean(),
  gateway_enabled: z.boolean(),
  local_key_provider_enabled: z.boolean(),
  /** Logs may hold what visitors sent: whoever wants them public says so. */
  public_logs: z.boolean(),
  public_sysinfo: z.boolean(),
  /** Without it nobody outside can see what runs. */
  public_tcbinfo: z.literal(true),
  allowed_envs: z.array(z.string()).length(0),
  no_instance_id: z.boolean(),
  secure_time: z.boolean(),
})
export type AppCompose = z.infer<typeof AppCompose>

/** Bytes of app-compose.json that every place on the way takes: Phala Cloud's bound, the narrowest. */
const MAX_BYTES = 200 * 1024

/** The app-compose of a compose file, as it is put beside a pushed image. */
export function appComposeOf(o: { name: string; dockerComposeFile: string }): AppCompose {
  return {
    manifest_version: 2,
    name: o.name,
    runner: 'docker-compose',
    docker_compose_file: o.dockerComposeFile,
    kms_enabled: true,
    gateway_enabled: true,
    local_key_provider_enabled: false,
    public_logs: false,
    public_sysinfo: false,
    public_tcbinfo: true,
    allowed_envs: [],
    no_instance_id: false,
    secure_time: true,
  }
}

/**
 * The one text of an app-compose: keys sorted, no spaces, no line break at the end. dstack hashes the bytes that it is given; for this form
 * `getComposeHash` of @phala/dstack-sdk, which hashes a sorted copy, says the same. Throws `app-compose-too-large`.
 */
export function encodeAppCompose(value: AppCompose): { readonly text: string; readonly composeHash: Sha256 } {
  const sorted = Object.entries(AppCompose.parse(value)).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const text = JSON.stringify(Object.fromEntries(sorted))
  if (Buffer.byteLength(text) > MAX_BYTES)
    throw new Failure({
      code: 'app-compose-too-large',
      message: 'the app-compose is larger than dstack takes',
      hint: "shorten command and environment in the recipe's bitwitness.yaml, and build again",
    })
  return { text, composeHash: digestOf(text) }
}
