import { createRoute, z } from '@hono/zod-openapi'
import { BuilderView, WorkerView } from '../../app/service/machine-documents.ts'
import { PAGE_CODES, pageJson, pageRequest, paging, problems } from '../api-route.ts'
import type { HttpApp, HttpPorts } from '../http-ports.ts'
import { answerPage } from '../page-answer.ts'
import { builderView, workerView } from '../views.ts'

const builders = createRoute({
  method: 'get',
  path: '/v1/builders',
  operationId: 'listBuilders',
  tags: ['machines'],
  summary: 'Builders that attempts were made in, newest first',
  request: { query: z.strictObject(paging) },
  responses: { 200: pageJson(BuilderView), ...problems(...PAGE_CODES) },
})

const workers = createRoute({
  method: 'get',
  path: '/v1/workers',
  operationId: 'listWorkers',
  tags: ['machines'],
  summary: 'Workers, revoked ones among them, newest first',
  request: { query: z.strictObject(paging) },
  responses: { 200: pageJson(WorkerView), ...problems(...PAGE_CODES) },
})

/** What the attempts were run in, and by whom. */
export function machines(app: HttpApp, ports: HttpPorts): void {
  app.openapi(builders, async (c) => {
    const page = await ports.reads.builders.page(pageRequest(c.req.valid('query')))
    return answerPage(c, page, builderView)
  })
  app.openapi(workers, async (c) => {
    const page = await ports.reads.workers.page(pageRequest(c.req.valid('query')))
    return answerPage(c, page, workerView)
  })
}
