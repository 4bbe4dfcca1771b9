import { once } from 'node:events'
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'

export type Exchanged = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }

/**
 * One request over a connection of its own, with these headers and no others but Host and the length: what programs in Rust send (reqwest), whose
 * clients are made anew for each request.
 */
export async function exchange(o: {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
}): Promise<Exchanged> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    const length =
      o.body === undefined ? {} : { 'content-length': String(typeof o.body === 'string' ? Buffer.byteLength(o.body) : o.body.length) }
    const signal = o.signal === undefined ? {} : { signal: o.signal }
    const sent = request(o.url, { method: o.method, agent, headers: { accept: '*/*', ...o.headers, ...length }, ...signal })
    sent.end(o.body)
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    const parts = (await answer.toArray()) as Buffer[]
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) }
  } finally {
    agent.destroy()
  }
}
