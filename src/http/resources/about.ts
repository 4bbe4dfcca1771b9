import { createRoute, z } from '@hono/zod-openapi'
import { bytesOf, jsonOf, noQuery, statedProblems } from '../api-route.ts'
import type { HttpApp, HttpPorts } from '../http-ports.ts'
import { answerJson, shownJson } from '../json-answer.ts'
import { openApiDocument } from '../openapi-document.ts'
import { docsPage } from '../pages/docs-page.ts'
import { errorsPage } from '../pages/errors-page.ts'
import { type Html, PAGE_POLICY } from '../pages/page.ts'
import { STYLE } from '../pages/style.ts'

const about = { method: 'get' as const, tags: ['service'], request: { query: noQuery } }
const HTML = 'text/html; charset=utf-8'

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
  responses: { 200: bytesOf('application/json', 'The document.'), ...statedProblems('request-malformed') },
})
const docs = createRoute({
  ...about,
  path: '/docs',
  operationId: 'docs',
  summary: 'This description, as a page',
  responses: { 200: bytesOf(HTML, 'The page.'), ...statedProblems('request-malformed') },
})
const errors = createRoute({
  ...about,
  path: '/docs/errors',
  operationId: 'errors',
  summary: 'Every code, what it says and what to do',
  responses: { 200: bytesOf(HTML, 'The page.'), ...statedProblems('request-malformed', 'internal') },
})

/** What the service says of itself. To be called when every other route is there. */
export function aboutService(app: HttpApp, ports: HttpPorts): void {
  // Made when somebody asks: a server that starts has other things to do.
  const once = <T>(make: () => T): (() => T) => {
    let made: { readonly value: T } | undefined
    return () => (made ??= { value: make() }).value
  }
  const described = once(() => openApiDocument(app, ports.version))
  const written = once(() => shownJson(described()))
  const docsText = once(() => textOf(docsPage(described())))
  app.openapi(health, (c) => answerJson(c, { status: 'ok' as const }, 200))
  app.openapi(openapi, (c) => c.body(written(), 200, { 'Content-Type': 'application/json' }))
  app.openapi(docs, async (c) => c.body(await docsText(), 200, { 'Content-Type': HTML, 'Content-Security-Policy': PAGE_POLICY }))
  app.openapi(errors, async (c) => {
    const text = await textOf(errorsPage(await ports.errorsPage()))
    return c.body(text, 200, { 'Content-Type': HTML, 'Content-Security-Policy': PAGE_POLICY })
  })
  app.get('/docs/style.css', (c) => c.body(STYLE, 200, { 'Content-Type': 'text/css; charset=utf-8' }))
}

async function textOf(made: Html): Promise<string> {
  return (await made).toString()
}
