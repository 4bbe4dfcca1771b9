import { type Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { committedDocument, cvmDocument, stateDocument, tcbInfo, urlsOf } from './phala-documents.ts'
import { NOT_FOUND, structured } from './phala-refusals.ts'
import { allowed, bodyOf, textIn, versionOf } from './phala-requests.ts'
import type { PhalaUpdates } from './phala-updates.ts'
import { hex, type PhalaCvm, type PhalaWorld } from './phala-world.ts'

type Json = Record<string, unknown>

/** Following, changing and ending one CVM. */
export function phalaCvms(world: PhalaWorld, updates: PhalaUpdates): Hono {
  const app = new Hono()
  const one = (act: (c: Context, cvm: PhalaCvm) => Response | Promise<Response>) => async (c: Context) => {
    const [cvm, ...more] = world.find(c.req.param('id') ?? '')
    if (cvm === undefined) return c.json(NOT_FOUND, 404)
    if (more.length > 0) return c.json(structured('ERR-03-002', 'several CVMs have this name'), 409)
    return await act(c, cvm)
  }
  app.get(
    '/cvms/:id',
    one((c, cvm) => c.json(cvmDocument(cvm, versionOf(c), world.keyOf(cvm.appId).published))),
  )
  app.get(
    '/cvms/:id/state',
    one((c, cvm) => (c.req.header('accept') === 'text/event-stream' ? followed(c, cvm, world) : stateOf(c, cvm, world))),
  )
  app.get(
    '/cvms/:id/network',
    one((c, cvm) =>
      c.json({
        is_online: cvm.status === 'running',
        is_public: true,
        error: null,
        internal_ip: '10.0.0.2',
        latest_handshake: null,
        public_urls: urlsOf(cvm),
      }),
    ),
  )
  app.get(
    '/cvms/:id/attestation',
    one((c, cvm) => {
      const online = cvm.status === 'running'
      const tcb_info = online ? tcbInfo(world.attested(cvm), cvm.guest?.tcbInfo) : null
      return c.json({
        name: cvm.provision.name,
        is_online: online,
        is_public: true,
        error: null,
        app_certificates: null,
        tcb_info,
        compose_file: null,
      })
    }),
  )
  app.get(
    '/cvms/:id/compose_file',
    one((c, cvm) => c.json(JSON.parse(cvm.provision.appCompose) as Json)),
  )
  app.post(
    '/cvms/:id/is-allowed',
    one(async (c, cvm) => c.json(allowed(updates, cvm.appId, textIn(await bodyOf(c), 'compose_hash', hex(cvm.provision.appCompose))))),
  )
  app.post(
    '/cvms/:id/commit-update',
    one(async (c, cvm) => {
      const body = await bodyOf(c)
      return outcome(
        c,
        updates.confirm(cvm, {
          composeHash: String(body['compose_hash']),
          transaction: String(body['transaction_hash']),
          token: String(body['token']),
        }),
      )
    }),
  )
  app.patch(
    '/cvms/:id',
    one(async (c, cvm) => {
      const composeHash = c.req.header('x-compose-hash')
      if (composeHash !== undefined)
        return outcome(c, updates.confirm(cvm, { composeHash, transaction: c.req.header('x-transaction-hash') ?? '' }))
      return outcome(c, updates.propose(cvm, await bodyOf(c)))
    }),
  )
  for (const how of ['stop', 'shutdown'] as const)
    app.post(
      `/cvms/:id/${how}`,
      one(async (c, cvm) => {
        await world.end(cvm, 'stop')
        return c.json(committedDocument(cvm))
      }),
    )
  for (const how of ['start', 'restart'] as const)
    app.post(
      `/cvms/:id/${how}`,
      one((c, cvm) => {
        cvm.status = 'starting'
        return c.json(committedDocument(cvm))
      }),
    )
  app.delete(
    '/cvms/:id',
    one(async (c, cvm) => {
      await world.end(cvm, 'remove')
      return c.body(null, 204)
    }),
  )
  return app
}

function stateOf(c: Context, cvm: PhalaCvm, world: PhalaWorld): Response {
  world.step(cvm)
  return c.json(stateDocument(cvm))
}

/** Server-sent events until the target is reached, or nothing changes any more. */
function followed(c: Context, cvm: PhalaCvm, world: PhalaWorld): Response {
  const events: string[] = []
  const tell = (event: string): number => events.push(`event: ${event}\ndata: ${JSON.stringify(stateDocument(cvm))}\n\n`)
  for (let was = ''; was !== cvm.status && cvm.status !== c.req.query('target'); world.step(cvm)) {
    tell('state')
    was = cvm.status
  }
  tell('state')
  tell(cvm.status === c.req.query('target') ? 'complete' : 'timeout')
  return c.body(events.join(''), 200, { 'content-type': 'text/event-stream' })
}

function outcome(c: Context, result: ReturnType<PhalaUpdates['propose']>): Response {
  return 'body' in result ? c.json(result.body, result.status as ContentfulStatusCode) : c.json(result)
}
