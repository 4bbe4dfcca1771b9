import { createRoute } from '@hono/zod-openapi'
import { AttemptView, pageOf } from '../../app/service/api-documents.ts'
import { listAttempts, readAttempt, readAttemptLog } from '../../app/service/read-attempts.ts'
import { byId, bytesOf, jsonOf, noQuery, problems } from '../api-route.ts'
import type { HttpApp, HttpPorts } from '../http-ports.ts'
import { answerJson } from '../json-answer.ts'
import { streamed } from '../streamed.ts'
import { unchanged } from '../unchanged.ts'
import { attemptView } from '../views.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/verifications/{id}/attempts',
  operationId: 'listAttempts',
  tags: ['attempts'],
  summary: 'Attempts of a verification that were begun, in order',
  description: 'There are at most nine, so there is one page. Reports are null until all attempts are committed.',
  request: { params: byId, query: noQuery },
  middleware: [unchanged] as const,
  responses: {
    200: jsonOf(pageOf(AttemptView), 'All of them.'),
    304: { description: 'As they were.' },
    ...problems('verification-unknown'),
  },
})

const read = createRoute({
  method: 'get',
  path: '/v1/attempts/{id}',
  operationId: 'readAttempt',
  tags: ['attempts'],
  summary: 'One attempt, with every try of it',
  request: { params: byId, query: noQuery },
  middleware: [unchanged] as const,
  responses: { 200: jsonOf(AttemptView, 'The attempt.'), 304: { description: 'As it was.' }, ...problems('attempt-unknown') },
})

const log = createRoute({
  method: 'get',
  path: '/v1/attempts/{id}/log',
  operationId: 'readLog',
  tags: ['attempts'],
  summary: 'What it printed, as text',
  description:
    'The whole log once all attempts of its verification are committed; until then the lines that came so far. Terminal escapes are made visible.',
  request: { params: byId, query: noQuery },
  responses: {
    200: bytesOf('text/plain; charset=utf-8', 'The log.'),
    ...problems('attempt-unknown'),
  },
})

export function attempts(app: HttpApp, ports: HttpPorts): void {
  app.openapi(list, async (c) => {
    const read = await listAttempts(ports, c.req.valid('param').id)
    return answerJson(c, { items: read.map(attemptView), next: null }, 200)
  })
  app.openapi(read, async (c) => answerJson(c, attemptView(await readAttempt(ports, c.req.valid('param').id)), 200))
  app.openapi(log, async (c) => {
    const content = await readAttemptLog(ports, c.req.valid('param').id)
    return c.body(streamed(c, ports, { content }), 200, { 'Content-Type': 'text/plain; charset=utf-8' })
  })
}
