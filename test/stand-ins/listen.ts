import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo, ListenOptions } from 'node:net'
import { getRequestListener } from '@hono/node-server'

export type StandInServer = AsyncDisposable & {
  /** With a slash at its end; of a socket its host means nothing. */
  readonly url: URL
}

type Fetch = (request: Request, env: { readonly outgoing: ServerResponse }) => Response | Promise<Response>

/** Listens on a free port of the loopback, or at a socket. Whoever is still connected when it is disposed of is cut off. */
export async function listenFor(fetch: Fetch, o: { readonly socket?: string; readonly port?: number } = {}): Promise<StandInServer> {
  const listener = getRequestListener((request, env) => fetch(request, env as unknown as { outgoing: ServerResponse }), {
    overrideGlobalObjects: false,
  })
  const server = createServer((request, response) => void listener(request, response))
  const where: ListenOptions = o.socket === undefined ? { host: '127.0.0.1', port: o.port ?? 0 } : { path: o.socket }
  server.listen(where)
  await once(server, 'listening')
  const address = server.address() as AddressInfo | string
  return {
    url: new URL(typeof address === 'string' ? 'http://localhost/' : `http://127.0.0.1:${address.port}/`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
