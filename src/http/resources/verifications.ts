import { createRoute, z } from '@hono/zod-openapi'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { Verdict } from '../../../verifier/model/verdict.ts'
import { RecipeView, VerificationView } from '../../app/service/api-documents.ts'
import { listVerifications, readRecipe, readVerification } from '../../app/service/read-verifications.ts'
import { byId, jsonOf, noQuery, PAGE_CODES, pageJson, pageRequest, paging, problems } from '../api-route.ts'
import type { HttpApp, HttpPorts } from '../http-ports.ts'
import { answerJson } from '../json-answer.ts'
import { isText } from '../json-body.ts'
import { answerPage } from '../page-answer.ts'
import { unchanged } from '../unchanged.ts'
import { verificationView } from '../views.ts'

export const SourceName = z.string().min(1).max(2048).refine(isText)
/** No database has a year 0. */
export const Since = z.iso.datetime().refine((text) => !text.startsWith('0000'))

const list = createRoute({
  method: 'get',
  path: '/v1/verifications',
  operationId: 'listVerifications',
  tags: ['verifications'],
  summary: 'Verifications, newest first',
  description: 'Filters are joined by and. A verification is found by what it claims once its claims are shown.',
  request: {
    query: z.strictObject({
      ...paging,
      verdict: Verdict.optional(),
      subject: Sha256.optional().openapi({ description: 'A digest that it claims or built.' }),
      source: SourceName.optional().openapi({ description: 'URL of the repository, or name of the archive.' }),
      builder: Sha256.optional(),
      owner: z.uuid().optional(),
      since: Since.optional().openapi({ description: 'Submitted then or later.' }),
    }),
  },
  responses: { 200: pageJson(VerificationView), ...problems(...PAGE_CODES) },
})

const read = createRoute({
  method: 'get',
  path: '/v1/verifications/{id}',
  operationId: 'readVerification',
  tags: ['verifications'],
  summary: 'One verification',
  description: 'Claims are null until all attempts are committed, and where that never came: nobody can echo what nobody can read.',
  request: { params: byId, query: noQuery },
  middleware: [unchanged] as const,
  responses: {
    200: jsonOf(VerificationView, 'The verification.'),
    304: { description: 'As it was.' },
    ...problems('verification-unknown'),
  },
})

const recipe = createRoute({
  method: 'get',
  path: '/v1/verifications/{id}/recipe',
  operationId: 'readRecipe',
  tags: ['verifications'],
  summary: 'What was read from its recipe, and what the rules say of it',
  request: { params: byId, query: noQuery },
  middleware: [unchanged] as const,
  responses: {
    200: jsonOf(RecipeView, 'The recipe and its findings.'),
    304: { description: 'As it was.' },
    ...problems('recipe-unread', 'verification-unknown'),
  },
})

export function verifications(app: HttpApp, ports: HttpPorts): void {
  app.openapi(list, async (c) => {
    const { cursor, limit, verdict, subject, source, builder, owner, since } = c.req.valid('query')
    const filter = {
      verdict: verdict ?? null,
      subject: subject ?? null,
      source: source ?? null,
      builder: builder ?? null,
      owner: owner ?? null,
      since: since === undefined ? null : new Date(since),
    }
    const page = await listVerifications(ports, filter, pageRequest({ cursor, limit }))
    return answerPage(c, page, verificationView)
  })
  app.openapi(read, async (c) => answerJson(c, verificationView(await readVerification(ports, c.req.valid('param').id)), 200))
  app.openapi(recipe, async (c) => answerJson(c, await readRecipe(ports, c.req.valid('param').id), 200))
}
