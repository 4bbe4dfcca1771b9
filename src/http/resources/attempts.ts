import { createRoute, z } from '@hono/zod-openapi'
import { AttemptView, pageOf } from '../../app/service/api-documents.ts'
import { listAttempts, readAttempt } from '../../app/service/read-attempts.ts'
import { readAttemptLog } from '../../app/service/read-log.ts'
import { byId, bytesOf, jsonOf, noQuery, problems } from '../api-route.ts'
import type { HttpApp, HttpPorts } from '../http-ports.ts'
import { answerJson } from '../json-answer.ts'
import { paths } from '../paths.ts'
import { streamed } from '../streamed.ts'
import { unchanged } from '../unchanged.ts'
import { attemptView } from '../views.ts'
import { Seq } from './events.ts'

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
    'The whole log once all attempts of its verification are committed; until then, or where that is no longer kept, the lines that came so ' +
    'far, in parts of at most 1 MiB and 10 000 lines: Link names the next part where there is one. Terminal escapes are made visible.',
  request: {
    params: byId,
    query: z.strictObject({
      after: Seq.optional().openapi({ type: 'integer', description: 'The part after this event, as Link says it.' }),
    }),
  },
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
    const { id } = c.req.valid('param')
    const { after } = c.req.valid('query')
    const read = await readAttemptLog(ports, { id, after: after === undefined ? null : Number(after) })
    c.header('Content-Type', 'text/plain; charset=utf-8')
    if (read.kind === 'whole') return c.body(streamed(c, ports, { content: read.bytes }), 200)
    if (read.next !== null) c.header('Link', `<${paths.attemptLog(id)}?after=${read.next}>; rel="next"`)
    return c.body(read.bytes, 200)
  })
}
