import { z } from 'zod'
import { Failure } from '../../../verifier/model/failure.ts'
import { shownName } from '../../../verifier/model/shown-name.ts'
import { parseStrictJson } from '../../../verifier/model/strict-json.ts'
import { failedCompose } from '../compose/compose-failures.ts'
import type { AppEnvironment } from './deploy-target.ts'
import { DeployOrder } from './deployment.ts'

const Summary = z.object({ name: z.string().optional(), allowed_envs: z.array(z.string()).optional() })
export type ComposeSummary = { readonly name: string | null; readonly allowedEnvs: readonly string[] }

/** What an order has to know of an app-compose. Fails with `compose-no-app` and as `parseStrictJson` does. */
export function composeSummary(bytes: Uint8Array): ComposeSummary {
  const { data } = Summary.safeParse(parseStrictJson(bytes))
  if (data === undefined) throw failedCompose('compose-no-app')
  return { name: data.name ?? null, allowedEnvs: data.allowed_envs ?? [] }
}

/** A file has 256 names at most, each of 128 characters. */
const MOST_NAMED = 10

/** The guest drops every name that the app-compose does not allow. Fails with `deploy-environment-undeclared`, which names them. */
export function requireDeclared(environment: AppEnvironment, { allowedEnvs }: ComposeSummary): void {
  const others = environment.flatMap(({ name }) => (allowedEnvs.includes(name) ? [] : [shownName(name)]))
  if (others.length === 0) return
  const more = others.length > MOST_NAMED ? ` and ${others.length - MOST_NAMED} more` : ''
  throw new Failure({
    code: 'deploy-environment-undeclared',
    message: `the app-compose does not allow what the environment names ${others.slice(0, MOST_NAMED).join(', ')}${more}, so the guest would drop it`,
    hint: 'write the names into allowed_envs of the app-compose, have the policy admit its new hash, and give it by --app-compose',
  })
}

/** What the guest is called: as was said, or as the app-compose is. Fails with `deploy-name-malformed`. */
export function guestName(said: string | null, { name }: ComposeSummary): string {
  const read = DeployOrder.shape.name.safeParse(said ?? name ?? '')
  if (read.success) return read.data
  throw new Failure({
    code: 'deploy-name-malformed',
    message: said === null ? 'the app-compose has no name that a guest can have' : 'a guest cannot have this name',
    hint: 'give --name with 5 to 63 small letters, digits and dashes, a letter first, and no dash at the end',
  })
}
