import { createRoute, z } from '@hono/zod-openapi'
import { bytesOf, jsonOf, noQuery, statedProblems } from '../api-route.ts'
import type { HttpApp, HttpPorts } from '../http-ports.ts'
import { answerJson, shownJson } from '../json-answer.ts'
import { type OpenApiDocument, openApiDocument } from '../openapi-document.ts'
import { docsPage } from '../pages/docs-page.ts'
import { errorsPage } from '../pages/errors-page.ts'
import { type Html, PAGE_POLICY } from '../pages/page.ts'
import { STYLE } from '../pages/style.ts'
import { standingAnswer } from '../standing-answer.ts'

const about = { method: 'get' as const, tags: ['service'], request: { query: noQuery } }
const HTML = 'text/html; charset=utf-8'
const UNCHANGED = { 304: { description: 'As it was.' } }

const health = createRoute({
  ...about,
  path: '/healthz',
  operationId: 'health',
  summary: 'Whether this process answers at all; /readyz says whether it can do its work',
  responses: { 200: jsonOf(z.strictObject({ status: z.literal('ok') }), 'It does.'), ...statedProblems('request-malformed') },
})
const openapi = createRoute({
  ...about,
  path: '/openapi.json',
  operationId: 'openapi',
  summary: 'This description, as OpenAPI 3.1',
  responses: { 200: bytesOf('application/json', 'The document.'), ...UNCHANGED, ...statedProblems('request-malformed') },
})
const docs = createRoute({
  ...about,
  path: '/docs',
  operationId: 'docs',
  summary: 'This description, as a page',
  responses: { 200: bytesOf(HTML, 'The page.'), ...UNCHANGED, ...statedProblems('request-malformed') },
})
const errors = createRoute({
  ...about,
  path: '/docs/errors',
  operationId: 'errors',
  summary: 'Every code, what it says and what to do',
  responses: { 200: bytesOf(HTML, 'The page.'), ...UNCHANGED, ...statedProblems('request-malformed', 'internal') },
})

/** What the service says of itself. To be called when every other route is there. */
export function aboutService(app: HttpApp, ports: HttpPorts): void {
  let made: OpenApiDocument | undefined
  const described = (): OpenApiDocument => (made ??= openApiDocument(app, ports.version))
  const page = { 'Content-Type': HTML, 'Content-Security-Policy': PAGE_POLICY }
  app.openapi(health, (c) => answerJson(c, { status: 'ok' as const }, 200))
  app.openapi(
    openapi,
    standingAnswer({ 'Content-Type': 'application/json' }, () => shownJson(described())),
  )
  app.openapi(
    docs,
    standingAnswer(page, () => textOf(docsPage(described()))),
  )
  app.openapi(
    errors,
    standingAnswer(page, async () => await textOf(errorsPage(await ports.errorsPage()))),
  )
  app.get(
    '/docs/style.css',
    standingAnswer({ 'Content-Type': 'text/css; charset=utf-8' }, () => STYLE),
  )
}

async function textOf(made: Html): Promise<string> {
  return (await made).toString()
}
