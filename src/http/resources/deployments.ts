import { createRoute, z } from '@hono/zod-openapi'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { AppId } from '../../app/compose/compose-hash.ts'
import { DeploymentAnswer, DeploymentRequest, DeploymentView, TargetView } from '../../app/service/deployment-documents.ts'
import { orderDeployment } from '../../app/service/order-deployment.ts'
import { type DeploymentRead, deploymentDocument, listDeployments, readDeployment } from '../../app/service/read-deployments.ts'
import { withdrawDeployment } from '../../app/service/withdraw-deployment.ts'
import {
  byId,
  bytesOf,
  CALLER_CODES,
  IdempotencyKey,
  JSON_CODES,
  jsonOf,
  noQuery,
  PAGE_CODES,
  pageJson,
  pageRequest,
  paging,
  problems,
  statedProblems,
} from '../api-route.ts'
import { deploymentView } from '../app-views.ts'
import { answerCompose } from '../compose-answer.ts'
import type { Gated, HttpApp } from '../http-ports.ts'
import { answerJson } from '../json-answer.ts'
import { emptyBody, strictJsonBody } from '../json-body.ts'
import { answerPage } from '../page-answer.ts'
import { paths } from '../paths.ts'
import { unchanged } from '../unchanged.ts'

const targets = createRoute({
  method: 'get',
  path: '/v1/targets',
  operationId: 'listTargets',
  tags: ['deployments'],
  summary: 'Where this service deploys to',
  request: { query: noQuery },
  responses: { 200: jsonOf(z.strictObject({ items: z.array(TargetView) }), 'By name.'), ...statedProblems('request-malformed') },
})

const list = createRoute({
  method: 'get',
  path: '/v1/deployments',
  operationId: 'listDeployments',
  tags: ['deployments'],
  summary: 'Deployments, newest first',
  description: 'Filters are joined by and.',
  request: {
    query: z.strictObject({ ...paging, app: AppId.optional(), owner: z.uuid().optional(), state: DeploymentView.shape.state.optional() }),
  },
  responses: { 200: pageJson(DeploymentView), ...problems(...PAGE_CODES) },
})

const read = createRoute({
  method: 'get',
  path: '/v1/deployments/{id}',
  operationId: 'readDeployment',
  tags: ['deployments'],
  summary: 'One deployment, with all that happened to it',
  description: 'Ask again with If-None-Match to follow it: 304 says that nothing happened.',
  request: { params: byId, query: noQuery },
  middleware: [unchanged] as const,
  responses: { 200: jsonOf(DeploymentAnswer, 'The deployment.'), 304: { description: 'As it was.' }, ...problems('deployment-unknown') },
})

const compose = createRoute({
  method: 'get',
  path: '/v1/deployments/{id}/composes/{sha256}',
  operationId: 'readDeploymentCompose',
  tags: ['deployments'],
  summary: 'The bytes of an app-compose that was ordered, that the target offered in its place, or that the guest attests',
  request: { params: z.strictObject({ ...byId.shape, sha256: Sha256 }), query: noQuery },
  responses: { 200: bytesOf('application/octet-stream', 'The bytes.'), ...problems('compose-unknown') },
})

/** What is deployed through a gate, and what was announced. */
export function deployments(app: HttpApp, ports: Gated): void {
  const order = createRoute({
    method: 'post',
    path: '/v1/deployments',
    operationId: 'order',
    tags: ['deployments'],
    summary: 'Has an app deployed once a policy allows it, or has one observed that was deployed elsewhere',
    description:
      'What a policy denies is not started. The service takes no environment: apps that need secrets are deployed by `bitwitness deploy`, which ' +
      'encrypts them for the guest, and announced here to be observed.',
    security: [{ token: [] }],
    request: {
      query: noQuery,
      headers: IdempotencyKey,
      body: { required: true, content: { 'application/json': { schema: DeploymentRequest } } },
    },
    middleware: [ports.gate, strictJsonBody(ports.limits)] as const,
    responses: {
      202: jsonOf(DeploymentAnswer, 'Accepted, now or before. Location is where to read it.'),
      ...problems(
        ...CALLER_CODES,
        ...JSON_CODES,
        'compose-no-app',
        'compose-not-utf8',
        'compose-too-large',
        'compose-unreadable',
        'deployment-compose-unknown',
        'deployments-limit',
        'gateway-url-domain',
        'gateway-url-malformed',
        'idempotency-key-malformed',
        'idempotency-key-reused',
        'policy-invalid',
        'policy-unknown',
        'scope-missing',
        'target-not-yours',
        'target-option-unsaid',
        'target-policy-refused',
        'target-unknown',
      ),
    },
  })
  const withdraw = createRoute({
    method: 'post',
    path: '/v1/deployments/{id}/withdraw',
    operationId: 'withdraw',
    tags: ['deployments'],
    summary: 'Ends that a deployment of yours is observed; again changes nothing',
    description: 'What runs, runs on: it is stopped where it runs.',
    security: [{ token: [] }],
    request: { params: byId, query: noQuery },
    middleware: [ports.gate, emptyBody(ports.limits)] as const,
    responses: {
      200: jsonOf(DeploymentAnswer, 'The deployment, withdrawn.'),
      ...problems(
        ...CALLER_CODES,
        'body-too-slow',
        'body-unexpected',
        'deployment-not-yours',
        'deployment-under-way',
        'deployment-unknown',
        'request-aborted',
        'scope-missing',
      ),
    },
  })
  app.openapi(targets, (c) => {
    const items = [...ports.targets].map(
      ([name, { target, policies }]): TargetView => ({ name, kind: target.kind, policies: [...policies] }),
    )
    return answerJson(c, { items }, 200)
  })
  app.openapi(list, async (c) => {
    const { cursor, limit, app: of, owner, state } = c.req.valid('query')
    const filter = { app: of ?? null, owner: owner ?? null, state: state ?? null }
    return answerPage(c, await listDeployments(ports, filter, pageRequest({ cursor, limit })), deploymentView)
  })
  app.openapi(read, async (c) => answerJson(c, answerOf(await readDeployment(ports, c.req.valid('param').id)), 200))
  app.openapi(compose, async (c) => {
    const { id, sha256 } = c.req.valid('param')
    if (!(await ports.reads.deployments.hasCompose(id, sha256))) throw composeUnknown()
    return await answerCompose(c, ports, sha256)
  })
  app.openapi(order, async (c) => {
    const request = c.req.valid('json')
    const idempotencyKey = c.req.valid('header')['idempotency-key'] ?? null
    const ordered = await orderDeployment(ports, { caller: c.get('caller'), request, idempotencyKey })
    c.header('Location', paths.deployment(ordered.deployment.id))
    return answerJson(c, answerOf(ordered), 202)
  })
  app.openapi(withdraw, async (c) =>
    answerJson(c, answerOf(await withdrawDeployment(ports, { caller: c.get('caller'), id: c.req.valid('param').id })), 200),
  )
}

function answerOf(read: DeploymentRead): DeploymentAnswer {
  return { ...deploymentView(read), deployment: deploymentDocument(read.deployment) }
}

function composeUnknown(): Failure {
  return new Failure({
    code: 'compose-unknown',
    message: 'the deployment is about no such app-compose',
    hint: 'take a hash that the deployment names',
  })
}
