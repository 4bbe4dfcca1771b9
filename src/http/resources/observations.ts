import { createRoute, z } from '@hono/zod-openapi'
import { Failure } from '../../../verifier/model/failure.ts'
import { AppId } from '../../app/compose/compose-hash.ts'
import { AppView, ObservationAnswer, ObservationView } from '../../app/service/deployment-documents.ts'
import { listDeployments } from '../../app/service/read-deployments.ts'
import { byId, jsonOf, noQuery, PAGE_CODES, pageJson, pageRequest, paging, problems } from '../api-route.ts'
import { composeView, deploymentView, guestDecisionView, observationView } from '../app-views.ts'
import type { HttpApp, HttpPorts } from '../http-ports.ts'
import { answerJson } from '../json-answer.ts'
import { answerPage } from '../page-answer.ts'
import { paths } from '../paths.ts'
import { unchanged } from '../unchanged.ts'

const params = z.strictObject({ app: AppId })
const MOST_SHOWN = 20

const summary = createRoute({
  method: 'get',
  path: '/v1/apps/{app}',
  operationId: 'readApp',
  tags: ['apps'],
  summary: 'What is known of an app',
  description: 'Of an app that nobody deployed, announced, admitted or asked about, nothing is: the lists are empty then.',
  request: { params, query: noQuery },
  responses: { 200: jsonOf(AppView, 'The app.'), ...problems() },
})

const list = createRoute({
  method: 'get',
  path: '/v1/apps/{app}/observations',
  operationId: 'listObservations',
  tags: ['apps'],
  summary: 'What was seen of an app, once for each time that it changed, newest first',
  request: { params, query: z.strictObject(paging) },
  responses: { 200: pageJson(ObservationView), ...problems(...PAGE_CODES) },
})

const read = createRoute({
  method: 'get',
  path: '/v1/observations/{id}',
  operationId: 'readObservation',
  tags: ['apps'],
  summary: 'One observation, with its transcript',
  request: { params: byId, query: noQuery },
  middleware: [unchanged] as const,
  responses: { 200: jsonOf(ObservationAnswer, 'The observation.'), 304: { description: 'As it was.' }, ...problems('observation-unknown') },
})

/** What runs, as far as this service has seen it. */
export function observations(app: HttpApp, ports: HttpPorts): void {
  const { reads } = ports
  app.openapi(summary, async (c) => {
    const { app: id } = c.req.valid('param')
    const [deployed, composes, observed, [decision], summaries] = await Promise.all([
      listDeployments(ports, { app: id, owner: null, state: null }, { cursor: null, limit: MOST_SHOWN }),
      reads.composes.ofApp(id, MOST_SHOWN),
      reads.observations.ofApp(id, { cursor: null, limit: 1 }),
      reads.gateDecisions.ofApp(id, 1),
      reads.gateStandings.summariesOf(id),
    ])
    const [observation] = observed.items
    const view: AppView = {
      app: id,
      deployments: deployed.items.map(deploymentView),
      composes: composes.map(composeView),
      observation: observation === undefined ? null : observationView(observation),
      decision: decision === undefined ? null : guestDecisionView(decision, summaries),
      links: {
        deployments: `/v1/deployments?app=${id}`,
        composes: paths.composesOf(id),
        observations: paths.observationsOf(id),
        decisions: paths.decisionsOf(id),
      },
    }
    return answerJson(c, view, 200)
  })
  app.openapi(list, async (c) => {
    const { cursor, limit } = c.req.valid('query')
    const page = await reads.observations.ofApp(c.req.valid('param').app, pageRequest({ cursor, limit }))
    return answerPage(c, page, observationView)
  })
  app.openapi(read, async (c) => {
    const found = await reads.observations.read(c.req.valid('param').id)
    if (found === undefined) throw observationUnknown()
    const { inspection, ...observation } = found
    const answer: ObservationAnswer = { ...observationView({ ...observation, verdict: inspection?.verdict ?? null }), inspection }
    return answerJson(c, answer, 200)
  })
}

function observationUnknown(): Failure {
  return new Failure({
    code: 'observation-unknown',
    message: 'there is no such observation',
    hint: 'check its id; GET /v1/apps/{app}/observations says which there are, and old ones are forgotten',
  })
}
