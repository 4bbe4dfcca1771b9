import path from 'node:path'
import { z } from 'zod'
import { readSmallFile } from '../../verifier/bytes/small-file.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { Secret } from '../../verifier/model/secret.ts'

/** What a registry is told. An identity token is exchanged for access at the registry's token service (Docker's OAuth2 flow). */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: Secret }
  | { readonly kind: 'identity-token'; readonly token: Secret }

/** What Docker's config.json says of one registry: credentials, or the program that has them. */
export type ConfiguredLogin =
  | { readonly kind: 'credentials'; readonly credentials: Credentials }
  | { readonly kind: 'program'; readonly program: string; readonly server: string }

const MAX_BYTES = 1024 * 1024

const Entry = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
})

const Config = z.looseObject({
  auths: z.record(z.string(), Entry).optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
})

/**
 * Looks a registry up in `config.json` of Docker's config folder, as Docker does: a program for the registry, then the program for all, then
 * what the file itself holds. `names` as endpointOf gives them. Null where it says nothing, or is not there. Rejects with
 * `registry-credentials-unreadable`.
 */
export async function readLogin(folder: string, names: readonly [string, ...string[]]): Promise<ConfiguredLogin | null> {
  const config = await readConfig(path.join(folder, 'config.json'))
  if (config === null) return null
  const helpers = Object.entries(config.credHelpers ?? {})
  const program = helpers.find(([key]) => names.some((name) => sameServer(key, name)))?.[1] ?? config.credsStore
  if (program !== undefined && program !== '') return { kind: 'program', program, server: names[0] }
  const auths = Object.entries(config.auths ?? {})
  const exact = names.map((name) => auths.find(([key]) => key === name)).find((entry) => entry !== undefined)
  const entry = exact ?? auths.find(([key]) => names.some((name) => sameServer(key, name)))
  const credentials = entry === undefined ? null : credentialsOf(entry[1])
  return credentials === null ? null : { kind: 'credentials', credentials }
}

async function readConfig(file: string): Promise<z.infer<typeof Config> | null> {
  const read = await readSmallFile(file, { maxBytes: MAX_BYTES })
  if (read.bytes === null) {
    if (read.why === 'absent') return null
    throw unreadable()
  }
  try {
    return Config.parse(JSON.parse(read.bytes.toString('utf8')))
  } catch {
    // The error would quote the file, and with it a password.
    throw unreadable()
  }
}

/** `https://HOST/v1/` and `HOST` name one server; anything with another path names something else. */
function sameServer(key: string, name: string): boolean {
  return bare(key) === bare(name)
}

function bare(server: string): string {
  return server.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '')
}

function credentialsOf(entry: z.infer<typeof Entry>): Credentials | null {
  if (entry.identitytoken !== undefined && entry.identitytoken !== '')
    return { kind: 'identity-token', token: new Secret(entry.identitytoken) }
  if (entry.auth !== undefined && entry.auth !== '') return decoded(entry.auth)
  return entry.username === undefined || entry.username === '' ? null : password(entry.username, entry.password ?? '')
}

function decoded(auth: string): Credentials {
  const text = Buffer.from(auth, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 1) throw unreadable()
  // Docker pads with zero bytes at times.
  return password(text.slice(0, colon), text.slice(colon + 1).replace(/\0+$/, ''))
}

/** Docker's own sign that the secret is an identity token. */
const TOKEN_USER = '<token>'

export function password(username: string, secret: string): Credentials {
  if (username === TOKEN_USER) return { kind: 'identity-token', token: new Secret(secret) }
  return { kind: 'password', username, password: new Secret(secret) }
}

function unreadable(): Failure {
  return new Failure({
    code: 'registry-credentials-unreadable',
    message: "Docker's config.json cannot be read",
    hint: 'log in again with docker login, or let DOCKER_CONFIG name another folder',
  })
}
