import { createRoute, z } from '@hono/zod-openapi'
import { AuthSimple } from '../../app/gate/auth-simple.ts'
import { Decision } from '../../app/gate/decision.ts'
import { PolicyName } from '../../app/gate/policy.ts'
import { PolicyImpact } from '../../app/gate/policy-impact.ts'
import { MOST_POLICY_BYTES } from '../../app/gate/read-policy.ts'
import { DecisionRequest, PolicyView } from '../../app/service/gate-documents.ts'
import { policyInvalid, policyUnknown, type SeenPolicy } from '../../app/service/policies.ts'
import { bytesOf, CALLER_CODES, JSON_CODES, jsonOf, noQuery, problems } from '../api-route.ts'
import { addressGate } from '../gates.ts'
import type { Gated, HttpApp, HttpPorts } from '../http-ports.ts'
import { answerJson } from '../json-answer.ts'
import { bodyTooLarge, strictJsonBody } from '../json-body.ts'
import { octetBody } from '../octet-body.ts'
import { paths } from '../paths.ts'

const params = z.strictObject({ policy: PolicyName })
const MOST_LISTED = 100

const list = createRoute({
  method: 'get',
  path: '/v1/policies',
  operationId: 'listPolicies',
  tags: ['policies'],
  summary: 'The policies that gates here decide by',
  request: { query: noQuery },
  responses: { 200: jsonOf(z.strictObject({ items: z.array(PolicyView) }), 'By name, at most a hundred.'), ...problems() },
})

const read = createRoute({
  method: 'get',
  path: '/v1/policies/{policy}',
  operationId: 'readPolicy',
  tags: ['policies'],
  summary: 'A policy as it is now',
  request: { params, query: noQuery },
  responses: { 200: jsonOf(PolicyView, 'The policy.'), ...problems('policy-unknown') },
})

const bytes = createRoute({
  method: 'get',
  path: '/v1/policies/{policy}/bytes',
  operationId: 'readPolicyBytes',
  tags: ['policies'],
  summary: 'The bytes of a policy, of which decisions name the sha256',
  request: { params, query: noQuery },
  responses: { 200: bytesOf('application/octet-stream', 'The file.'), ...problems('policy-invalid', 'policy-unknown') },
})

/** What gates decide by, and what they would say. */
export function policies(app: HttpApp, ports: Gated): void {
  impact(app, ports)
  allowlist(app, ports)
  const decide = createRoute({
    method: 'post',
    path: '/v1/decisions',
    operationId: 'decide',
    tags: ['policies'],
    summary: 'Asks a gate before anything starts',
    description:
      'The answer is what a policy says of an app, a guest or an image now; nothing is started by it, and nothing of it is kept. Signatures are verified as for a KMS. Anybody may ask, as often as an address may write.',
    request: { query: noQuery, body: { required: true, content: { 'application/json': { schema: DecisionRequest } } } },
    middleware: [addressGate(ports), strictJsonBody(ports.limits)] as const,
    responses: {
      200: jsonOf(Decision, 'What the gate says, allow or deny.'),
      ...problems(
        ...JSON_CODES,
        'boot-info-malformed',
        'gate-busy',
        'image-digest-missing',
        'image-reference-malformed',
        'policy-invalid',
        'policy-unknown',
        'rate-limited',
      ),
    },
  })
  app.openapi(list, async (c) => {
    const items: PolicyView[] = []
    for (const name of (await ports.policies.names()).slice(0, MOST_LISTED)) {
      const seen = await ports.policies.see(name)
      if (seen !== undefined) items.push(policyView(seen))
    }
    return answerJson(c, { items }, 200)
  })
  app.openapi(read, async (c) => answerJson(c, policyView(await mustSee(ports, c.req.valid('param').policy)), 200))
  app.openapi(bytes, async (c) => {
    const seen = await mustSee(ports, c.req.valid('param').policy)
    // What is no policy may be anything that somebody put there by mistake.
    if (seen.policy === null) throw policyInvalid()
    return c.body(new Uint8Array(seen.bytes), 200, {
      'Content-Type': 'application/octet-stream',
      'Content-Disposition': `attachment; filename="${seen.name}.yaml"`,
    })
  })
  app.openapi(decide, async (c) => answerJson(c, await ports.openGate.decide(c.req.valid('json')), 200))
}

/** What another policy would do. */
function impact(app: HttpApp, ports: Gated): void {
  const route = createRoute({
    method: 'post',
    path: '/v1/decisions/impact',
    operationId: 'findImpact',
    tags: ['policies'],
    summary: 'What a new policy would do to the apps that run now',
    description:
      'The body is the file of a policy, which is read and not kept. What runs is what KMSs and gateways asked about under the policy that it would replace, with the guest that was let in last. The token needs the scope `admit`; one such question is answered at a time.',
    security: [{ token: [] }],
    request: {
      query: z.strictObject({
        replaces: PolicyName.optional().describe('The policy that it would replace; else the one of the name that it gives itself.'),
        days: z
          .string()
          .regex(/^[1-9]\d{0,3}$/)
          .transform(Number)
          .default(90)
          .openapi({
            type: 'integer',
            minimum: 1,
            maximum: 9999,
            default: 90,
            description: 'Apps that were asked about within so many days.',
          }),
      }),
      body: { required: true, content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } },
    },
    middleware: [ports.gate] as const,
    responses: {
      200: jsonOf(PolicyImpact, 'Before and after for each app.'),
      ...problems(
        ...CALLER_CODES,
        'body-too-large',
        'body-too-slow',
        'content-type-refused',
        'gate-busy',
        'policy-draft-invalid',
        'policy-unknown',
        'request-aborted',
        'scope-missing',
      ),
    },
  })
  app.openapi(route, async (c) => {
    const { replaces = null, days } = c.req.valid('query')
    const draft = await octetBody(c, { ...ports.limits, maxBytes: MOST_POLICY_BYTES, maxMs: ports.limits.jsonMs, tooLarge: bodyTooLarge })
    return answerJson(c, await ports.impacts.find({ caller: c.get('caller'), draft, replaces, days }), 200)
  })
}

/** What a policy allows, for those who cannot call out. */
function allowlist(app: HttpApp, ports: Gated): void {
  const route = createRoute({
    method: 'get',
    path: '/v1/policies/{policy}/auth-simple',
    operationId: 'exportPolicy',
    tags: ['policies'],
    summary: 'What a policy allows now, as the allowlist of dstack’s auth-simple',
    description:
      'Each app-compose that the policy lists, or that somebody admitted, is decided about now; what is denied is left out. One such question is answered at a time.',
    request: { params, query: noQuery },
    middleware: [addressGate(ports)] as const,
    responses: {
      200: jsonOf(AuthSimple, 'The file.'),
      ...problems('export-no-guest', 'export-too-large', 'gate-busy', 'policy-invalid', 'policy-unknown', 'rate-limited'),
    },
  })
  app.openapi(route, async (c) => answerJson(c, (await ports.allowlists.find(c.req.valid('param').policy)).document, 200))
}

async function mustSee({ policies: known }: HttpPorts, name: string): Promise<SeenPolicy> {
  const seen = await known.see(name)
  if (seen === undefined) throw policyUnknown()
  return seen
}

function policyView({ name, sha256, policy }: SeenPolicy): PolicyView {
  return {
    name,
    title: policy?.name ?? null,
    sha256,
    followed: policy !== null,
    mode: policy?.mode ?? null,
    links: { self: paths.policy(name), bytes: policy === null ? null : paths.policyBytes(name) },
  }
}
