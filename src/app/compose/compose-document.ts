import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { parseStrictJson } from '../../../verifier/model/strict-json.ts'
import { utf8Text } from '../../../verifier/model/utf8-text.ts'
import { failedCompose } from './compose-failures.ts'
import { entriesOf, type Located, pointerPart, textOf, under } from './located.ts'
import { type ReadText, readLocated } from './read-located.ts'

/** A service of a Compose file. */
export type ComposeService = { readonly name: string; readonly at: number; readonly node: Located; readonly pointer: string }

export type AppText = ReadText & {
  readonly root: Located
  /** sha256 of the bytes as they are: what dstack measures. */
  readonly composeHash: Sha256
}

/** What is linted: an app-compose with the Compose file inside of it, or a Compose file alone. */
export type ComposeDocument = {
  readonly app: AppText | null
  /** Null where the app-compose has none. */
  readonly compose: ReadText | null
  readonly services: readonly ComposeService[]
}

/** What a guest takes (dstack), and what Phala Cloud takes with its own script added. */
export const MOST_BYTES = { dstack: 256 * 1024, phala: 200 * 1024 } as const
/** What is looked at: what is too large for dstack is still told what else is wrong. */
export const MOST_READ = 1 << 20

/**
 * Reads an app-compose.json, or a Compose file: what begins as a JSON object is the former. The bytes are hashed as they are, and parsed only
 * to be read. Fails with `compose-too-large`, `compose-not-utf8`, and for an app-compose as `parseStrictJson`.
 */
export function readComposeDocument(bytes: Uint8Array): ComposeDocument {
  if (bytes.length > MOST_READ) throw failedCompose('compose-too-large')
  const text = utf8Text(bytes)
  if (text === undefined) throw failedCompose('compose-not-utf8')
  if (!/^[ \t\r\n]*\{/.test(text)) {
    const compose = readLocated(text)
    return { app: null, compose, services: servicesOf(compose) }
  }
  parseStrictJson(bytes)
  const read = readLocated(text)
  const { root } = read
  // Strict JSON that YAML reads in another way: a tab before a key, a key of more than 1024 characters.
  if (root === undefined || read.problems.length > 0) throw failedCompose('compose-unreadable')
  const app = { ...read, root, composeHash: digestOf(bytes) }
  const inner = textOf(under(root, 'docker_compose_file'))
  const compose = inner === undefined ? null : readLocated(inner)
  return { app, compose, services: compose === null ? [] : servicesOf(compose) }
}

function servicesOf({ root }: ReadText): readonly ComposeService[] {
  return entriesOf(under(root, 'services')).map(({ key, keyAt, value }) => ({
    name: key,
    at: keyAt,
    node: value,
    pointer: `/services/${pointerPart(key)}`,
  }))
}
