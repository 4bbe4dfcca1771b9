import { createRoute, z } from '@hono/zod-openapi'
import { AttestationView } from '../../app/service/api-documents.ts'
import { readAttestation } from '../../app/service/read-records.ts'
import { byId, jsonOf, noQuery, PAGE_CODES, pageJson, pageRequest, paging, problems } from '../api-route.ts'
import type { HttpApp, HttpPorts } from '../http-ports.ts'
import { answerJson } from '../json-answer.ts'
import { answerPage } from '../page-answer.ts'
import { unchanged } from '../unchanged.ts'
import { attestationView } from '../views.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/attestations',
  operationId: 'listAttestations',
  tags: ['attestations'],
  summary: 'What was signed, newest first',
  request: { query: z.strictObject(paging) },
  responses: { 200: pageJson(AttestationView), ...problems(...PAGE_CODES) },
})

const read = createRoute({
  method: 'get',
  path: '/v1/attestations/{id}',
  operationId: 'readAttestation',
  tags: ['attestations'],
  summary: 'One signed statement about a verdict',
  description: 'The Sigstore bundle itself is a blob; docs/attestations.md says how to check it with cosign and with nothing of ours.',
  request: { params: byId, query: noQuery },
  middleware: [unchanged] as const,
  responses: { 200: jsonOf(AttestationView, 'The attestation.'), 304: { description: 'As it was.' }, ...problems('attestation-unknown') },
})

export function attestations(app: HttpApp, ports: HttpPorts): void {
  app.openapi(list, async (c) => {
    const page = await ports.reads.attestations.page(pageRequest(c.req.valid('query')))
    return answerPage(c, page, attestationView)
  })
  app.openapi(read, async (c) => answerJson(c, attestationView(await readAttestation(ports, c.req.valid('param').id)), 200))
}
