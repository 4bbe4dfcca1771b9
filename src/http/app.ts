import { OpenAPIHono } from '@hono/zod-openapi'
import { Failure } from '../../verifier/model/failure.ts'
import { callerGate } from './gates.ts'
import type { HttpApp, HttpEnv, HttpPorts } from './http-ports.ts'
import { refuseOtherMethods } from './other-methods.ts'
import { answerProblem } from './problems.ts'
import { refuseMalformed } from './request-malformed.ts'
import { aboutService } from './resources/about.ts'
import { apps } from './resources/apps.ts'
import { attempts } from './resources/attempts.ts'
import { attestations } from './resources/attestations.ts'
import { blobs } from './resources/blobs.ts'
import { deployments } from './resources/deployments.ts'
import { events } from './resources/events.ts'
import { machines } from './resources/machines.ts'
import { observations } from './resources/observations.ts'
import { owner } from './resources/owner.ts'
import { policies } from './resources/policies.ts'
import { subjects } from './resources/subjects.ts'
import { submissions } from './resources/submissions.ts'
import { uploads } from './resources/uploads.ts'
import { verifications } from './resources/verifications.ts'
import { bodiless, crossOrigin, guarded, numbered } from './surroundings.ts'
import { refuseUnreadable } from './unreadable-request.ts'

/** Routes that somebody else adds: those of workers, /readyz and /metrics. */
export type Part = (app: HttpApp) => void

/** The public API, and whatever else is served beside it. */
export function httpApp(ports: HttpPorts, ...parts: readonly Part[]): HttpApp {
  const app: HttpApp = new OpenAPIHono<HttpEnv>({ defaultHook: refuseMalformed })
  app.use(numbered(ports), guarded, bodiless, crossOrigin, refuseUnreadable)
  for (const resource of [verifications, attempts, events, subjects, attestations, blobs, machines, observations]) resource(app, ports)
  const gated = { ...ports, gate: callerGate(ports) }
  for (const resource of [submissions, uploads, owner, apps, policies, deployments]) resource(app, gated)
  for (const part of parts) part(app)
  aboutService(app, ports)
  refuseOtherMethods(app)
  app.notFound((c) => answerProblem(ports, routeUnknown(), c))
  app.onError((error, c) => answerProblem(ports, error, c))
  return app
}

function routeUnknown(): Failure {
  return new Failure({ code: 'route-unknown', message: 'there is nothing here', hint: '/docs says what there is' })
}
