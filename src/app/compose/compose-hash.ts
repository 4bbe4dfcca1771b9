import { z } from 'zod'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { readComposeDocument } from './compose-document.ts'
import { failedCompose } from './compose-failures.ts'
import { textOf, under } from './located.ts'

/** An app of dstack's, by 20 bytes as hex. */
export const AppId = z.string().regex(/^[0-9a-f]{40}$/)

/** The first 20 bytes of the compose hash: the app's id where nobody chose another (dstack-util, system_setup.rs). */
export function appIdFrom(composeHash: Sha256): string {
  return composeHash.slice(0, 40)
}

export const COMPOSE_HASH_SCHEMA = 'bitwitness/compose-hash/v1'

/** What dstack measures of an app-compose, and the app id that follows from it. */
export const ComposeHash = z.strictObject({
  schema: z.literal(COMPOSE_HASH_SCHEMA),
  /** sha256 of the bytes as they are. */
  composeHash: Sha256,
  /** The first 20 bytes of the hash, in hex: the app's id where nobody chose another (dstack-util, system_setup.rs). */
  appId: AppId,
  /** sha256 of the Compose file inside of it; null: it has none. */
  dockerCompose: Sha256.nullable(),
})
export type ComposeHash = z.infer<typeof ComposeHash>

/** Hashes an app-compose as it is. Fails as `readComposeDocument`, and with `compose-no-app` for a Compose file alone. A pure function. */
export function composeHash(bytes: Uint8Array): ComposeHash {
  const { app } = readComposeDocument(bytes)
  if (app === null) throw failedCompose('compose-no-app')
  const inner = textOf(under(app.root, 'docker_compose_file'))
  return {
    schema: COMPOSE_HASH_SCHEMA,
    composeHash: app.composeHash,
    appId: appIdFrom(app.composeHash),
    dockerCompose: inner === undefined ? null : digestOf(inner),
  }
}
