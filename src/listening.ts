import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener, type HttpBindings, RequestError } from '@hono/node-server'
import { Failure } from '../verifier/model/failure.ts'

export type ListenOptions = {
  readonly fetch: (request: Request, env: HttpBindings) => Promise<Response> | Response
  /** Answers what is no request: nobody can make an address of its first line and its Host. */
  readonly unreadable: () => Promise<Response> | Response
  readonly host: string
  /** 0: a free one. */
  readonly port: number
  /** Longest that a request may take to arrive, ms. */
  readonly requestMs: number
  /** What the adapter could not answer; it has answered 500 by then. */
  readonly onError: (error: unknown) => void
}

/** Bounds on whoever connects and says nothing, or too much. */
const HEADERS_MS = 15_000
const KEEP_ALIVE_MS = 65_000
const MAX_HEADER = 16 << 10
const MAX_CONNECTIONS = 10_000
const LOOK_MS = 5_000
const IDLE_MS = 100

/** A server that listens. */
export class Listening {
  readonly url: URL
  readonly #server: Server

  private constructor(server: Server, url: URL) {
    this.#server = server
    this.url = url
  }

  /** Fails with `listen-in-use` or `listen-refused`. */
  static async open({ fetch, unreadable, host, port, requestMs, onError }: ListenOptions): Promise<Listening> {
    // The globals stay Node's own: other libraries use them too.
    const answer = (request: Request, env: HttpBindings): Promise<Response> | Response =>
      hostsOf(env.incoming) > 1 ? unreadable() : fetch(request, env)
    const listener = getRequestListener((request, env) => answer(request, env as HttpBindings), {
      overrideGlobalObjects: false,
      // HTTP/1.0 has no Host, and nothing that is answered depends on it.
      hostname: 'localhost',
      errorHandler: (error) => {
        if (error instanceof RequestError) return unreadable()
        onError(error)
        return new Response(null, { status: 500 })
      },
    })
    const server = createServer(
      {
        headersTimeout: HEADERS_MS,
        requestTimeout: requestMs,
        keepAliveTimeout: KEEP_ALIVE_MS,
        maxHeaderSize: MAX_HEADER,
        connectionsCheckingInterval: LOOK_MS,
      },
      (request, response) => {
        listener(request, response).catch(onError)
      },
    )
    server.maxConnections = MAX_CONNECTIONS
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => reject(refused(cause, `${bracketed(host)}:${port}`)))
      server.listen({ host, port }, resolve)
    })
    server.on('error', onError)
    const address = server.address() as AddressInfo
    return new Listening(server, new URL(`http://${shownHost(host)}:${address.port}/`))
  }

  /** Takes no new connection, and lets those go that wait for nothing. Resolves once all are gone, at the latest after the grace. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
    this.#server.closeIdleConnections()
    // A connection that is kept alive is idle once it has its answer.
    const idle = setInterval(() => this.#server.closeIdleConnections(), IDLE_MS)
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs)
    await closed
    clearInterval(idle)
    clearTimeout(timer)
  }
}

/** Node takes the first of several, and a proxy in front of it perhaps another. */
function hostsOf({ rawHeaders }: IncomingMessage): number {
  return rawHeaders.filter((name, at) => at % 2 === 0 && name.length === 4 && name.toLowerCase() === 'host').length
}

/** What a person on this machine opens. */
function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return bracketed(host)
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

function refused(cause: NodeJS.ErrnoException, where: string): Failure {
  if (cause.code === 'EADDRINUSE')
    return new Failure({
      code: 'listen-in-use',
      message: `another program listens on ${where}`,
      hint: 'set BITWITNESS_LISTEN to another port, or to port 0 for a free one',
      audience: 'operator',
      cause,
    })
  return new Failure({
    code: 'listen-refused',
    message: `the system does not let this program listen on ${where}`,
    hint: 'set BITWITNESS_LISTEN to an address of this machine, and to a port above 1023 unless this is root',
    audience: 'operator',
    cause,
  })
}
