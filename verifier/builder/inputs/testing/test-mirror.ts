import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type MirrorHandler = (request: IncomingMessage, response: ServerResponse, call: number) => void

export type TestMirror = AsyncDisposable & {
  readonly url: URL
  /** Paths asked for, in order. */
  readonly asked: string[]
  /** Answers a path with bytes, or in any way a mirror can misbehave; `call` counts from 1 for each path. */
  on(path: string, answer: string | Uint8Array | MirrorHandler): void
}

/** A mirror on 127.0.0.1 below the path `/some/archive/`. Whatever it does not know is not found. */
export async function testMirror(): Promise<TestMirror> {
  const answers = new Map<string, string | Uint8Array | MirrorHandler>()
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').replace('/some/archive/', ''))
    asked.push(path)
    const answer = answers.get(path)
    if (typeof answer === 'function') return answer(request, response, asked.filter((other) => other === path).length)
    response.setHeader('X-Mirror', 'leaks')
    response.setHeader('ETag', '"leaks"')
    if (answer === undefined) response.writeHead(404).end('no such file')
    else response.setHeader('Content-Length', Buffer.byteLength(answer)).end(answer)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/some/archive`),
    asked,
    on: (path, answer) => void answers.set(path, answer),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
