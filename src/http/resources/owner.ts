import { createRoute } from '@hono/zod-openapi'
import { CallerView } from '../../app/service/api-documents.ts'
import { CALLER_CODES, jsonOf, noQuery, problems } from '../api-route.ts'
import type { Gated, HttpApp } from '../http-ports.ts'
import { answerJson } from '../json-answer.ts'
import { ownerView } from '../views.ts'

/** Who the token in hand speaks for. */
export function owner(app: HttpApp, { gate, webhookSecret }: Gated): void {
  const read = createRoute({
    method: 'get',
    path: '/v1/owner',
    operationId: 'readOwner',
    tags: ['owner'],
    summary: 'Who you are here, what your token is good for, and what callbacks to you are signed with',
    security: [{ token: [] }],
    request: { query: noQuery },
    middleware: [gate] as const,
    responses: { 200: jsonOf(CallerView, 'You.'), ...problems(...CALLER_CODES) },
  })
  app.openapi(read, async (c) => {
    const { owner: who, scopes, repositories, trusted } = c.get('caller')
    c.header('Cache-Control', 'no-store')
    const rest = { scopes: [...scopes], repositories: repositories === null ? null : [...repositories], trusted }
    return answerJson(c, { owner: ownerView(who), ...rest, webhookSecret: await webhookSecret(who.id) }, 200)
  })
}
