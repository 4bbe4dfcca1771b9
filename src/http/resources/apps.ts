import { createRoute, z } from '@hono/zod-openapi'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { MOST_BYTES } from '../../app/compose/compose-document.ts'
import { failedCompose } from '../../app/compose/compose-failures.ts'
import { AppId } from '../../app/compose/compose-hash.ts'
import { admitCompose } from '../../app/service/admit-compose.ts'
import { AdmitAnswer, ComposeView, GuestDecisionView } from '../../app/service/gate-documents.ts'
import { bytesOf, CALLER_CODES, jsonOf, noQuery, problems } from '../api-route.ts'
import { composeView, guestDecisionView } from '../app-views.ts'
import { answerCompose } from '../compose-answer.ts'
import type { Gated, HttpApp } from '../http-ports.ts'
import { answerJson } from '../json-answer.ts'
import { octetBody } from '../octet-body.ts'
import { paths } from '../paths.ts'

// Made anew: of what was made before the library was loaded it knows nothing.
const params = z.strictObject({ app: AppId.clone().openapi({ example: '84304bbe0123456789abcdef0123456789abcdef' }) })
const composeParams = z.strictObject({ ...params.shape, sha256: Sha256 })

const listOf = <T extends z.ZodType>(item: T) => jsonOf(z.strictObject({ items: z.array(item) }), 'The newest, at most a hundred.')
const MOST_LISTED = 100

const list = createRoute({
  method: 'get',
  path: '/v1/apps/{app}/composes',
  operationId: 'listComposes',
  tags: ['apps'],
  summary: 'App-composes that were admitted for an app',
  request: { params, query: noQuery },
  responses: { 200: listOf(ComposeView), ...problems() },
})

const read = createRoute({
  method: 'get',
  path: '/v1/apps/{app}/composes/{sha256}',
  operationId: 'readCompose',
  tags: ['apps'],
  summary: 'The bytes of an app-compose, as they are measured',
  request: { params: composeParams, query: noQuery },
  responses: { 200: bytesOf('application/octet-stream', 'The bytes.'), ...problems('compose-unknown') },
})

const decisions = createRoute({
  method: 'get',
  path: '/v1/apps/{app}/decisions',
  operationId: 'listDecisions',
  tags: ['apps'],
  summary: 'What KMSs and gateways were answered about an app, by which policies, and why',
  description: 'Each answer once, with how often it was given. Of apps that a policy lists, and app-composes that were admitted.',
  request: { params, query: noQuery },
  responses: { 200: listOf(GuestDecisionView), ...problems() },
})

/** What may run as which app, and what was answered when it wanted to. */
export function apps(app: HttpApp, ports: Gated): void {
  const admit = createRoute({
    method: 'put',
    path: '/v1/apps/{app}/composes/{sha256}',
    operationId: 'admitCompose',
    tags: ['apps'],
    summary: 'Admits an app-compose for an app: its bytes are kept, and looked up by what a guest measured',
    description:
      'The body is app-compose.json, byte for byte. Whether the app may run it is for a policy to say: which names who admits, and what the linter may have against it.',
    security: [{ token: [] }],
    request: {
      params: composeParams,
      query: noQuery,
      body: { required: true, content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } },
    },
    middleware: [ports.gate] as const,
    responses: {
      200: jsonOf(AdmitAnswer, 'It was admitted before, by the same owner.'),
      201: jsonOf(AdmitAnswer, 'It is admitted.'),
      ...problems(
        ...CALLER_CODES,
        'body-too-slow',
        'compose-hash-differs',
        'compose-no-app',
        'compose-not-utf8',
        'compose-too-large',
        'compose-unreadable',
        'content-type-refused',
        'json-duplicate-key',
        'json-malformed',
        'json-number-inexact',
        'json-too-deep',
        'request-aborted',
        'scope-missing',
      ),
    },
  })
  app.openapi(list, async (c) => {
    const found = await ports.reads.composes.ofApp(c.req.valid('param').app, MOST_LISTED)
    return answerJson(c, { items: found.map(composeView) }, 200)
  })
  app.openapi(read, async (c) => {
    const { app: appId, sha256 } = c.req.valid('param')
    if ((await ports.reads.composes.admittedFor(appId, sha256)).length === 0) throw composeUnknown()
    return await answerCompose(c, ports, sha256)
  })
  app.openapi(decisions, async (c) => {
    const { app: appId } = c.req.valid('param')
    const [found, summaries] = await Promise.all([
      ports.reads.gateDecisions.ofApp(appId, MOST_LISTED),
      ports.reads.gateStandings.summariesOf(appId),
    ])
    return answerJson(c, { items: found.map((one) => guestDecisionView(one, summaries)) }, 200)
  })
  app.openapi(admit, async (c) => {
    const { app: appId, sha256: composeHash } = c.req.valid('param')
    const bytes = await octetBody(c, {
      ...ports.limits,
      maxBytes: MOST_BYTES.dstack,
      maxMs: ports.limits.jsonMs,
      tooLarge: () => failedCompose('compose-too-large'),
    })
    const { isNew, lint } = await admitCompose(ports, { caller: c.get('caller'), appId, composeHash, bytes })
    const answer: AdmitAnswer = {
      app: appId,
      composeHash,
      lint,
      links: { bytes: paths.compose(appId, composeHash), composes: paths.composesOf(appId) },
    }
    return answerJson(c, answer, isNew ? 201 : 200)
  })
}

function composeUnknown(): Failure {
  return new Failure({
    code: 'compose-unknown',
    message: 'nobody admitted this app-compose for the app',
    hint: 'GET /v1/apps/{app}/composes says which there are',
  })
}
