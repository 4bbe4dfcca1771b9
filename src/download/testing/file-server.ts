import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export type FileServer = AsyncDisposable & {
  readonly port: number
  /** What was asked for, in order. */
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders }[]
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** Answers on one loopback address, by http or, with a certificate, by https. */
export async function serveFiles(
  answer: Answer,
  o: { readonly address?: string; readonly tls?: { readonly key: string; readonly cert: string } } = {},
): Promise<FileServer> {
  const requests: FileServer['requests'] = []
  const listener: RequestListener = (request, response) => {
    requests.push({ path: request.url ?? '', headers: request.headers })
    answer(request, response)
  }
  const server = o.tls === undefined ? createServer(listener) : createSecureServer(o.tls, listener)
  server.listen(0, o.address ?? '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export const redirecting =
  (location: string, status = 302): Answer =>
  (_, response) =>
    void response.writeHead(status, { location }).end()

export const sending =
  (body: string | Uint8Array): Answer =>
  (_, response) =>
    void response.writeHead(200, { 'content-length': Buffer.byteLength(body) }).end(body)
