import { createRoute } from '@hono/zod-openapi'
import { SubmissionAnswer, SubmissionRequest, VerificationView } from '../../app/service/api-documents.ts'
import { cancelOwnVerification } from '../../app/service/cancel-own-verification.ts'
import { submitVerification } from '../../app/service/submit-verification.ts'
import { byId, CALLER_CODES, IdempotencyKey, JSON_CODES, jsonOf, noQuery, problems } from '../api-route.ts'
import type { Gated, HttpApp } from '../http-ports.ts'
import { answerJson } from '../json-answer.ts'
import { emptyBody, strictJsonBody } from '../json-body.ts'
import { paths } from '../paths.ts'
import { verificationView } from '../views.ts'

/** What an owner asks for, and takes back. */
export function submissions(app: HttpApp, ports: Gated): void {
  const submit = createRoute({
    method: 'post',
    path: '/v1/verifications',
    operationId: 'submit',
    tags: ['submissions'],
    summary: 'Has a source rebuilt and held against what is claimed of it',
    description:
      'The same submission of the same owner joins the one that is open. An archive, a lock and an inputs archive are uploaded before, and named ' +
      'by their digests. Where the token is a workflow’s own, the repository must be the workflow’s.',
    security: [{ token: [] }],
    request: {
      query: noQuery,
      headers: IdempotencyKey,
      body: { required: true, content: { 'application/json': { schema: SubmissionRequest } } },
    },
    middleware: [ports.gate, strictJsonBody(ports.limits)] as const,
    responses: {
      202: { ...jsonOf(SubmissionAnswer, 'Accepted, or joined. Location is where to read it.') },
      ...problems(
        ...CALLER_CODES,
        ...JSON_CODES,
        'builder-unknown',
        'builder-not-allowed',
        'callback-refused',
        'claim-location-refused',
        'claim-twice',
        'idempotency-key-malformed',
        'idempotency-key-reused',
        'repository-refused',
        'scope-missing',
        'source-host-private',
        'source-path-malformed',
        'source-protocol',
        'source-ref-malformed',
        'source-url-malformed',
        'source-url-userinfo',
        'upload-unknown',
        'verifications-open-limit',
        'worker-none-for-strangers',
      ),
    },
  })
  const cancel = createRoute({
    method: 'post',
    path: '/v1/verifications/{id}/cancel',
    operationId: 'cancel',
    tags: ['submissions'],
    summary: 'Cancels a verification of yours; again changes nothing',
    description: 'It gets no verdict, and its claims stay hidden.',
    security: [{ token: [] }],
    request: { params: byId, query: noQuery },
    middleware: [ports.gate, emptyBody(ports.limits)] as const,
    responses: {
      200: jsonOf(VerificationView, 'The verification, cancelled.'),
      ...problems(
        ...CALLER_CODES,
        'body-too-slow',
        'body-unexpected',
        'request-aborted',
        'scope-missing',
        'verification-not-yours',
        'verification-over',
        'verification-unknown',
      ),
    },
  })
  app.openapi(submit, async (c) => {
    const request = c.req.valid('json')
    const idempotencyKey = c.req.valid('header')['idempotency-key'] ?? null
    const { read, joined, notice } = await submitVerification(ports, { caller: c.get('caller'), request, idempotencyKey })
    c.header('Location', paths.verification(read.verification.id))
    return answerJson(c, { verification: verificationView(read), joined, notice }, 202)
  })
  app.openapi(cancel, async (c) => {
    const read = await cancelOwnVerification(ports, { caller: c.get('caller'), id: c.req.valid('param').id })
    return answerJson(c, verificationView(read), 200)
  })
}
