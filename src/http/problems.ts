import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { Failure } from '../../verifier/model/failure.ts'
import type { Problem } from '../app/service/api-documents.ts'
import type { HttpEnv, HttpPorts } from './http-ports.ts'
import { shownJson } from './json-answer.ts'

const CODES = {
  400: [
    'body-unexpected',
    'cursor-malformed',
    'event-unknown',
    'idempotency-key-malformed',
    'json-duplicate-key',
    'json-malformed',
    'json-not-utf8',
    'json-number-inexact',
    'json-too-deep',
    'page-limit',
    'request-aborted',
    'request-malformed',
    'text-malformed',
  ],
  401: ['credentials-missing', 'token-invalid'],
  403: [
    'deployment-not-yours',
    'repository-refused',
    'scope-missing',
    'target-not-yours',
    'target-policy-refused',
    'verification-not-yours',
  ],
  404: [
    'attempt-unknown',
    'attestation-unknown',
    'blob-unknown',
    'compose-unknown',
    'deployment-unknown',
    'observation-unknown',
    'policy-unknown',
    'recipe-unread',
    'route-unknown',
    'verification-unknown',
  ],
  405: ['method-not-allowed'],
  408: ['body-too-slow'],
  409: ['deployment-under-way', 'export-no-guest', 'export-too-large', 'policy-invalid', 'verification-over', 'worker-none-for-strangers'],
  413: ['body-too-large', 'compose-too-large', 'json-too-large', 'upload-too-large'],
  415: ['content-type-refused'],
  416: ['range-unsatisfiable'],
  422: [
    'boot-info-malformed',
    'builder-unknown',
    'builder-not-allowed',
    'callback-refused',
    'claim-location-refused',
    'claim-twice',
    'compose-hash-differs',
    'compose-no-app',
    'compose-not-utf8',
    'compose-unreadable',
    'deployment-compose-unknown',
    'gateway-url-domain',
    'gateway-url-malformed',
    'idempotency-key-reused',
    'image-digest-missing',
    'image-reference-malformed',
    'policy-draft-invalid',
    'source-host-private',
    'source-path-malformed',
    'source-protocol',
    'source-ref-malformed',
    'source-url-malformed',
    'source-url-userinfo',
    'target-option-unsaid',
    'target-unknown',
    'upload-unknown',
  ],
  429: ['deployments-limit', 'rate-limited', 'uploads-held-limit', 'uploads-limit', 'verifications-open-limit'],
  500: ['internal'],
  503: ['followers-limit', 'gate-busy', 'issuer-unreachable', 'unavailable', 'upload-swept'],
} as const satisfies Readonly<Record<number, readonly string[]>>

export type ProblemStatus = keyof typeof CODES
/** Every code that the public API answers with. */
export type ProblemCode = (typeof CODES)[ProblemStatus][number]

const STATUS: ReadonlyMap<string, ProblemStatus> = new Map(
  Object.entries(CODES).flatMap(([status, codes]) => codes.map((code) => [code, Number(status) as ProblemStatus] as const)),
)

/** The status that goes with a code; undefined where it is none that callers are told. */
export function statusOf(code: string): ProblemStatus | undefined {
  return STATUS.get(code)
}

/** What is told of whatever was thrown; `trouble` where that is less than was thrown, and its operator should hear of it. */
function toldOf(error: unknown): { readonly failure: Failure; readonly status: ProblemStatus; readonly trouble: boolean } {
  const failure = failureOf(error)
  const status = failure?.audience === 'caller' ? statusOf(failure.code) : undefined
  if (failure !== undefined && status !== undefined) return { failure, status, trouble: false }
  const told = failure?.retryable === true ? unavailable() : internal()
  return { failure: told, status: failure?.retryable === true ? 503 : 500, trouble: true }
}

/** The one place where a failure becomes an answer. */
export function answerProblem(ports: Pick<HttpPorts, 'onTrouble'>, error: unknown, c: Context<HttpEnv>): Response {
  const requestId = c.get('requestId')
  const { failure, status, trouble } = toldOf(error)
  if (trouble) ports.onTrouble({ requestId, error })
  const { retryAfterSeconds, allow, size } = failure.data
  if (typeof retryAfterSeconds === 'number') c.header('Retry-After', String(retryAfterSeconds))
  if (typeof allow === 'string') c.header('Allow', allow)
  if (typeof size === 'number') c.header('Content-Range', `bytes */${size}`)
  if (status === 401) c.header('WWW-Authenticate', 'Bearer')
  return problemBody(c, failure, status)
}

/** A failure as an answer of this status. */
export function problemBody(c: Context<HttpEnv>, failure: Failure, status: ProblemStatus): Response {
  // What is left of a body that nobody reads is not waited for.
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD' && !c.req.raw.bodyUsed) c.header('Connection', 'close')
  if (status === 408 || status === 413) c.header('Connection', 'close')
  c.header('Cache-Control', 'no-store')
  c.set('problem', failure.code)
  return c.body(shownJson(present(failure, status, c.get('requestId'))), status, { 'Content-Type': 'application/problem+json' })
}

function present(failure: Failure, status: ProblemStatus, requestId: string): Problem {
  const { code, message, hint } = failure
  return {
    type: `/docs/errors#${code}`,
    title: code.replaceAll('-', ' '),
    status,
    code,
    detail: message,
    hint,
    instance: `urn:uuid:${requestId}`,
  }
}

function failureOf(error: unknown): Failure | undefined {
  if (error instanceof Failure) return error
  // Of hono's own making: its text is not ours to pass on.
  return error instanceof HTTPException && error.status === 415 ? contentTypeRefused() : undefined
}

function unavailable(): Failure {
  return new Failure({
    code: 'unavailable',
    message: 'something that this service needs is away',
    hint: 'try again in a while; its operator finds the cause under the id of this request',
    data: { retryAfterSeconds: 10 },
  })
}

function internal(): Failure {
  return new Failure({
    code: 'internal',
    message: 'the service could not do this',
    hint: 'tell its operator the id of this request, which the cause is kept under',
  })
}

export function contentTypeRefused(): Failure {
  return new Failure({
    code: 'content-type-refused',
    message: 'the body has a Content-Type that is not taken here',
    hint: 'send a JSON document as application/json, and bytes to upload as application/octet-stream',
  })
}
