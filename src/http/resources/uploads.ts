import { createRoute } from '@hono/zod-openapi'
import { UploadAnswer } from '../../app/service/api-documents.ts'
import { takeUpload } from '../../app/service/take-upload.ts'
import { UploadsUnderWay } from '../../app/service/uploads-under-way.ts'
import { CALLER_CODES, jsonOf, noQuery, problems } from '../api-route.ts'
import { boundedBody } from '../bounded-body.ts'
import type { Gated, HttpApp } from '../http-ports.ts'
import { answerJson } from '../json-answer.ts'
import { contentTypeRefused } from '../problems.ts'

const HOUR_MS = 3_600_000

/** Bytes that submissions name. */
export function uploads(app: HttpApp, ports: Gated): void {
  const underWay = new UploadsUnderWay()
  const add = createRoute({
    method: 'post',
    path: '/v1/uploads',
    operationId: 'upload',
    tags: ['submissions'],
    summary: 'Takes an archive, an input lock or an inputs archive, which a submission then names by its digest',
    description: 'The body is the bytes themselves. What no submission names is forgotten after a while; the same bytes again renew it.',
    security: [{ token: [] }],
    request: {
      query: noQuery,
      body: { required: true, content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } },
    },
    middleware: [ports.gate] as const,
    responses: {
      201: jsonOf(UploadAnswer, 'The bytes are here, by this digest.'),
      ...problems(
        ...CALLER_CODES,
        'body-too-slow',
        'content-type-refused',
        'request-aborted',
        'scope-missing',
        'upload-swept',
        'upload-too-large',
        'uploads-held-limit',
        'uploads-limit',
      ),
    },
  })
  app.openapi(add, async (c) => {
    if (!/^application\/octet-stream$/i.test(c.req.header('content-type') ?? '')) throw contentTypeRefused()
    const { body } = c.req.raw
    const length = c.req.header('content-length') ?? ''
    const upload = await takeUpload(
      { ...ports, underWay },
      {
        caller: c.get('caller'),
        declared: /^\d{1,15}$/.test(length) ? Number(length) : null,
        bytes: (bounds) => boundedBody(body, { ...ports.limits, ...bounds, maxMs: ports.limits.uploadMs }),
      },
    )
    const expiresAt = new Date(upload.createdAt.getTime() + ports.uploads.hours * HOUR_MS).toISOString()
    return answerJson(c, { sha256: upload.sha256, size: upload.size, expiresAt }, 201)
  })
}
