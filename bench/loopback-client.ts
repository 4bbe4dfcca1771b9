import { Agent, request } from 'node:http'

export type Answer = { readonly status: number; readonly body: Buffer }
export type Asked = {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Path and query. */
  readonly target: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** Requests over connections that stay open, with as little of our own around them as can be: what is measured is the server. */
export class LoopbackClient implements Disposable {
  readonly #agent: Agent
  readonly #port: number

  /** Only ever to 127.0.0.1. `connections`: at most so many at once. */
  constructor(port: number, connections: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections })
    this.#port = port
  }

  async ask({ method, target, headers = {}, body }: Asked): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const options = { host: '127.0.0.1', port: this.#port, agent: this.#agent, method, path: target, headers: { ...headers, ...length } }
    const sent = request(options, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => void parts.push(part))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts) }))
      answer.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
    return await promise
  }

  /** Fails unless the answer has this status. */
  async expect(status: number, asked: Asked): Promise<Buffer> {
    const answer = await this.ask(asked)
    if (answer.status !== status)
      throw new Error(`${asked.method} ${asked.target}: ${answer.status} ${answer.body.toString().slice(0, 500)}`)
    return answer.body
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}
