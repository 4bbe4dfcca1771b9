import type { ServerResponse } from 'node:http'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import { listenFor, type StandInServer } from './listen.ts'
import { phalaApps } from './phala-apps.ts'
import { phalaCatalog } from './phala-catalog.ts'
import { phalaCvms } from './phala-cvms.ts'
import { phalaDeploying } from './phala-deploying.ts'
import { type PhalaFault, PhalaFaults } from './phala-faults.ts'
import { PhalaUpdates } from './phala-updates.ts'
import { PhalaWorld, type PhalaWorldOptions } from './phala-world.ts'
import { answerWrongly, isDone } from './wrong-answers.ts'

export type PhalaRequest = {
  readonly method: string
  /** Behind the prefix, with its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const PREFIX = '/api/v1'

/**
 * A stand-in of Phala Cloud: its HTTP API as `@phala/cloud` 0.2.9 and `phala` 1.1.18 speak it, in both versions, with guests that run nowhere unless
 * `startGuest` has them run somewhere. What it was asked is kept, what its guests decrypt as well, and every failure can be had.
 */
export class PhalaCloudStandIn implements AsyncDisposable {
  readonly apiKey = 'phak_stand-in-key'
  readonly world: PhalaWorld
  readonly updates: PhalaUpdates
  readonly faults = new PhalaFaults()
  readonly requests: PhalaRequest[] = []
  readonly #app: Hono
  #server: StandInServer | undefined

  private constructor(options: PhalaWorldOptions) {
    this.world = new PhalaWorld(options)
    this.updates = new PhalaUpdates((cvm, appCompose) => this.world.update(cvm, appCompose))
    this.#app = new Hono()
      .route(PREFIX, phalaDeploying(this.world))
      .route(PREFIX, phalaCvms(this.world, this.updates))
      .route(PREFIX, phalaApps(this.world, this.updates))
      .route(PREFIX, phalaCatalog(this.world))
      .notFound((c) => c.json({ detail: 'Not Found' }, 404))
  }

  static async start(options: PhalaWorldOptions = {}, o: { readonly port?: number } = {}): Promise<PhalaCloudStandIn> {
    const standIn = new PhalaCloudStandIn(options)
    standIn.#server = await listenFor(async (request, { outgoing }) => await standIn.#answer(request, outgoing), o)
    return standIn
  }

  /** As `PHALA_CLOUD_API_PREFIX` takes it. */
  get prefix(): string {
    return new URL(PREFIX, this.#server?.url).href
  }

  asked(route: string): readonly PhalaRequest[] {
    return this.requests.filter(({ method, path }) => `${method} ${routeOf(path)}` === route)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cvm of this.world.cvms) await cvm.guest?.stop()
    await this.#server?.[Symbol.asyncDispose]()
  }

  async #answer(request: Request, outgoing: ServerResponse): Promise<Response> {
    const { pathname, search } = new URL(request.url)
    const path = pathname.slice(PREFIX.length) + search
    const body = await request.clone().text()
    const headers = Object.fromEntries(request.headers)
    this.requests.push({ method: request.method, path, headers, body })
    const open = routeOf(path) === '/apps/:id/attestations'
    if (!open && headers['x-api-key'] !== this.apiKey) return Response.json({ detail: 'Invalid API key' }, { status: 401 })
    const fault = this.faults.take(`${request.method} ${routeOf(path)}`)
    return fault === undefined ? await this.#app.fetch(request) : await this.#fail(fault, request, outgoing)
  }

  async #fail(fault: PhalaFault, request: Request, outgoing: ServerResponse): Promise<Response> {
    if (fault.kind === 'answer') {
      const { status, body = {}, headers = {} } = fault
      return Response.json(body, { status, headers })
    }
    if (fault.kind === 'changed') {
      const answer = await this.#app.fetch(request)
      return Response.json(fault.change((await answer.json()) as Record<string, unknown>), { status: answer.status })
    }
    if (isDone(fault.kind)) await this.#app.fetch(request)
    answerWrongly(fault.kind, outgoing)
    return RESPONSE_ALREADY_SENT
  }
}

function routeOf(path: string): string {
  return path
    .replace(/\?.*$/, '')
    .replace(/^\/cvms\/(?!provision$|paginated$)[^/]+/, '/cvms/:id')
    .replace(/^\/apps\/[^/]+/, '/apps/:id')
}
