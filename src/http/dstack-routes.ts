import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import { Failure } from '../../verifier/model/failure.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import { type BootInfo, bootInfoMalformed, fieldsOf, GatewayAppInfo, KmsBootInfo, MOST_MESSAGE_BYTES } from '../app/gate/boot-info.ts'
import type { GateAnswer, GateDesk, GateQuestion } from '../app/service/gate-desk.ts'
import { type NamedPolicy, policyUnknown } from '../app/service/policies.ts'
import type { Part } from './app.ts'
import { boundedBody } from './bounded-body.ts'
import type { HttpEnv, HttpPorts } from './http-ports.ts'
import { answerJson } from './json-answer.ts'

export type DstackRoutePorts = {
  readonly desk: GateDesk
  readonly limits: HttpPorts['limits']
  /** Where somebody can read why an app was denied; with a slash at its end. Null: it is not known. */
  readonly base: () => URL | null
}

/** No message of dstack's is deeper. */
const MAX_DEPTH = 16
const NO_CONTRACT = `0x${'0'.repeat(40)}`
/** A guest's own log takes 4 KiB of an event. */
const MOST_REASON = 1000

/**
 * What the KMS and the gateway of dstack ask, each under the URL of a policy (dstack, kms/src/main_service/upgrade_authority.rs and
 * gateway/src/main_service/auth_client.rs). Neither signs its questions, nor can: an answer says what the policy says of them, and no more.
 * A KMS takes 200 with `isAllowed`; a gateway takes any 2xx for yes. So nothing but a well-formed question of the very kind is answered with one.
 */
export function dstackRoutes(ports: DstackRoutePorts): Part {
  const app = new OpenAPIHono<HttpEnv>()
  app.onError((error, c) => refuse(c, error))
  // A KMS asks at its URL as it is written, with a slash at its end or without, and joins the other paths on either.
  for (const path of ['/:policy', '/:policy/'] as const) app.get(path, (c) => answerAbout(c, ports))
  app.post('/:policy/bootAuth/app', (c) => answerKms(c, ports, 'kms-app'))
  app.post('/:policy/bootAuth/kms', (c) => answerKms(c, ports, 'kms-self'))
  app.post('/:policy/app-auth', async (c) => {
    const policy = await policyOf(c, ports)
    const info = await messageOf(c, ports, GatewayAppInfo)
    const answer = policy === null ? UNFOLLOWED : await ports.desk.ask('gateway', policy, info)
    // Its body is for whoever reads the gateway's log: the gateway goes by the status alone.
    return answer.isAllowed ? c.body(null, 204) : answerJson(c, { isAllowed: false, reason: reasonWith(ports, answer, info) }, 403)
  })
  return (whole) => {
    whole.route('/v1/dstack', app)
  }
}

async function answerAbout(c: Context<HttpEnv>, ports: DstackRoutePorts): Promise<Response> {
  const policy = await policyOf(c, ports)
  const contract = { kmsContractAddr: NO_CONTRACT, appImplementation: NO_CONTRACT, appAuthImplementation: NO_CONTRACT }
  return answerJson(c, { status: 'ok', ...contract, ethRpcUrl: '', gatewayAppId: policy?.policy.gatewayAppId ?? '', chainId: 0 }, 200)
}

const UNFOLLOWED = { isAllowed: false, reason: 'the policy cannot be followed', gatewayAppId: '', decided: false } as const

async function answerKms(c: Context<HttpEnv>, ports: DstackRoutePorts, asked: GateQuestion): Promise<Response> {
  const policy = await policyOf(c, ports)
  const info = await messageOf(c, ports, KmsBootInfo)
  const answer = policy === null ? UNFOLLOWED : await ports.desk.ask(asked, policy, info)
  const { isAllowed, gatewayAppId } = answer
  return answerJson(c, { isAllowed, gatewayAppId, reason: isAllowed ? '' : reasonWith(ports, answer, info) }, 200)
}

/** With where to read on, if there is anything. */
function reasonWith({ base }: DstackRoutePorts, { reason, decided }: GateAnswer, { appId }: BootInfo): string {
  const root = decided ? base() : null
  const link = root === null ? '' : ` (${new URL(`v1/apps/${appId}/decisions`, root).href})`
  return `${reason.slice(0, MOST_REASON)}${link}`
}

/** Null: there is one of the name, which cannot be followed. Fails where there is none. */
async function policyOf(c: Context<HttpEnv>, { desk }: DstackRoutePorts): Promise<NamedPolicy | null> {
  const policy = await desk.policy(c.req.param('policy') ?? '')
  if (policy !== undefined) return policy
  throw policyUnknown()
}

async function messageOf<T extends z.ZodType>(c: Context<HttpEnv>, { limits }: DstackRoutePorts, schema: T): Promise<z.output<T>> {
  if (!/^application\/json(?:\s*;|$)/i.test(c.req.header('content-type') ?? '')) throw bootInfoMalformed()
  const chunks: Uint8Array[] = []
  const bounds = { ...limits, maxBytes: MOST_MESSAGE_BYTES, maxMs: limits.jsonMs, tooLarge: () => bootInfoMalformed() }
  for await (const chunk of boundedBody(c.req.raw.body, bounds)) chunks.push(chunk)
  const { data, success, error } = schema.safeParse(
    parseStrictJson(Buffer.concat(chunks), { maxBytes: MOST_MESSAGE_BYTES, maxDepth: MAX_DEPTH }),
  )
  if (!success) throw bootInfoMalformed(fieldsOf(error))
  return data
}

/** As dstack's own servers answer what they do not understand; a KMS logs the reason. */
function refuse(c: Context<HttpEnv>, error: unknown): Response {
  const code = error instanceof Failure ? error.code : 'internal'
  const status = code === 'policy-unknown' ? 404 : error instanceof Failure ? 400 : 500
  c.set('problem', code)
  const fields = error instanceof Failure && code === 'boot-info-malformed' ? error.data['fields'] : []
  const which = Array.isArray(fields) && fields.length > 0 ? `: ${fields.join(', ')}` : ''
  return answerJson(c, { isAllowed: false, gatewayAppId: '', reason: `invalid authorization request (${code}${which})` }, status)
}
