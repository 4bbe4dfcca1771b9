import { createRoute, z } from '@hono/zod-openapi'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { KnownView, VerificationView } from '../../app/service/api-documents.ts'
import { knownAbout, knownHistory } from '../../app/service/read-verifications.ts'
import { PAGE_CODES, pageJson, pageRequest, paging, problems } from '../api-route.ts'
import type { HttpApp, HttpPorts } from '../http-ports.ts'
import { answerPage } from '../page-answer.ts'
import { knownView, verificationView } from '../views.ts'
import { SourceName } from './verifications.ts'

const read = createRoute({
  method: 'get',
  path: '/v1/subjects/{sha256}',
  operationId: 'readSubject',
  tags: ['subjects'],
  summary: 'Everything known about a digest: the newest verdict for each source, claims and owner',
  description:
    'A verdict counts for its own source, claims and owner: whoever pairs somebody’s digest with a source of their own says nothing about the ' +
    'other’s image. So ask for the owner and the source that you mean. One that could not find out takes no verdict back. Newest first; what ' +
    'is not known is an empty page.',
  request: {
    params: z.strictObject({ sha256: Sha256 }),
    query: z.strictObject({ ...paging, source: SourceName.optional(), owner: z.uuid().optional() }),
  },
  responses: { 200: pageJson(KnownView), ...problems(...PAGE_CODES) },
})

const history = createRoute({
  method: 'get',
  path: '/v1/subjects/{sha256}/{key}',
  operationId: 'readSubjectHistory',
  tags: ['subjects'],
  summary: 'All verifications of a digest by one source, claims and owner, newest first',
  description: '`key` is that of an entry of what is known about the digest. Those that are about to get their verdict are among them.',
  request: { params: z.strictObject({ sha256: Sha256, key: Sha256 }), query: z.strictObject(paging) },
  responses: { 200: pageJson(VerificationView), ...problems(...PAGE_CODES) },
})

export function subjects(app: HttpApp, ports: HttpPorts): void {
  app.openapi(read, async (c) => {
    const { sha256 } = c.req.valid('param')
    const { cursor, limit, source, owner } = c.req.valid('query')
    const of = { request: pageRequest({ cursor, limit }), source: source ?? null, owner: owner ?? null }
    const page = await knownAbout(ports, sha256, of)
    return answerPage(c, page, (known) => knownView(sha256, known))
  })
  app.openapi(history, async (c) => {
    const page = await knownHistory(ports, c.req.valid('param'), pageRequest(c.req.valid('query')))
    return answerPage(c, page, verificationView)
  })
}
