import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { Failure } from '../../model/failure.ts'
import type { InputFailure, InputLimits } from './input-proxy.ts'
import { readTarget, type Target, targetKey } from './target.ts'

/** What is said of one address. Live and replay differ only in who says it. */
export type Answer =
  /** `bytes` yields exactly `size` bytes or fails; it never yields all of them unless they are the recorded ones. */
  | { readonly kind: 'body'; readonly size: number; readonly bytes: AsyncIterable<Uint8Array> }
  | { readonly kind: 'absent' }
  /** Why is among the source's failures. */
  | { readonly kind: 'failed'; readonly code: InputFailure['code'] }

export type AnswerSource = (target: Target) => Promise<Answer>

/** Requests that one client may have waiting; apt pipelines ten. */
const MAX_WAITING = 256
/** Refused requests that are remembered one by one. */
const MAX_REFUSALS = 100

/**
 * The HTTP side: one server for tunnelled connections and for 127.0.0.1. Every answer is made of the address and the body alone: no
 * header of a mirror, no date. Conditional and range requests are answered in full, which HTTP allows and which makes them repeatable.
 */
export class ArchiveServer implements AsyncDisposable {
  readonly refusals: InputFailure[] = []
  /** Keys of the addresses whose whole body was handed out. */
  readonly served = new Set<string>()
  requests = 0
  bytes = 0
  readonly #server: Server
  readonly #source: AnswerSource
  readonly #limits: InputLimits
  readonly #connections = new Set<Duplex>()
  #waiting = 0
  #closed = false

  constructor(source: AnswerSource, limits: InputLimits) {
    this.#source = source
    this.#limits = limits
    this.#server = createServer(
      { keepAlive: false, keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 60_000, maxHeaderSize: 16_384 },
      (request, response) => void this.#serve(request, response),
    )
    this.#server.maxRequestsPerSocket = 0
    this.#server.on('connection', (connection: Duplex) => this.#track(connection))
    this.#server.on('connect', (request: IncomingMessage, connection: Duplex) => {
      this.#refuse(request.url ?? '')
      connection.end('HTTP/1.1 405 input-refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    })
    this.#server.on('clientError', (_error: Error, connection: Duplex) => connection.destroy())
  }

  accept(connection: Duplex): void {
    this.#server.emit('connection', connection)
  }

  async listen(): Promise<{ readonly port: number }> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return { port: (this.#server.address() as AddressInfo).port }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const connection of this.#connections) connection.destroy()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  #track(connection: Duplex): void {
    connection.on('error', () => connection.destroy())
    if (this.#closed || this.#connections.size >= this.#limits.connections) {
      connection.destroy()
      return
    }
    this.#connections.add(connection)
    // One for each pipelined response that waits for room.
    connection.setMaxListeners(MAX_WAITING * 2)
    connection.once('close', () => this.#connections.delete(connection))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.sendDate = false
    response.on('error', () => response.destroy())
    this.requests += 1
    this.#waiting += 1
    try {
      if (this.#closed || this.#waiting > MAX_WAITING) response.destroy()
      else await this.#answer(request, response)
    } catch {
      // A transfer that broke off: the client must not take what it has for the whole.
      response.destroy()
    } finally {
      this.#waiting -= 1
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? ''
    if (this.requests > this.#limits.requests) {
      this.#remember({ code: 'network-limit', path: '', message: 'the build made more requests than a build may' })
      return end(response, 403, 'network-limit')
    }
    const hasBody = request.headers['transfer-encoding'] !== undefined || !['0', undefined].includes(request.headers['content-length'])
    if ((request.method !== 'GET' && request.method !== 'HEAD') || hasBody) {
      this.#refuse(url)
      response.shouldKeepAlive = false
      return end(response, 405, 'input-refused')
    }
    const reading = readTarget(url)
    if (reading.kind === 'refused') {
      this.#refuse(url)
      return end(response, 403, 'input-refused')
    }
    const answer = await this.#source(reading.target)
    switch (answer.kind) {
      case 'absent':
        return end(response, 404, 'Not Found')
      case 'failed':
        return end(response, STATUS[answer.code], answer.code)
      case 'body':
        response.writeHead(200, 'OK', { 'Content-Length': answer.size })
        if (request.method === 'HEAD') return void response.end()
        await this.#send(response, request.socket, answer)
        return void this.served.add(targetKey(reading.target))
    }
  }

  async #send(response: ServerResponse, connection: Duplex, answer: Answer & { kind: 'body' }): Promise<void> {
    let sent = 0
    for await (const chunk of answer.bytes) {
      sent += chunk.length
      if (connection.destroyed || sent > answer.size) break
      this.bytes += chunk.length
      if (!response.write(chunk)) await drained(response, connection)
    }
    if (sent !== answer.size) throw new Failure({ code: 'input-unavailable', message: 'a body broke off', hint: 'try again' })
    response.end()
  }

  #refuse(url: string): void {
    const reading = readTarget(url)
    if (reading.kind === 'target')
      this.#remember({ code: 'input-refused', ...reading.target, message: 'only GET and HEAD without a body are answered' })
    else
      this.#remember({
        code: 'input-refused',
        path: reading.host,
        message: 'a build reaches the archives of its profile and no other address',
      })
  }

  #remember(failure: Pick<InputFailure, 'code' | 'path' | 'message'> & { archive?: string }): void {
    if (this.refusals.length >= MAX_REFUSALS) return
    const known = this.refusals.some((other) => other.code === failure.code && other.path === failure.path)
    if (!known) this.refusals.push({ archive: '', expected: null, actual: null, ...failure })
  }
}

const STATUS = { 'input-unavailable': 502, 'input-differs': 502, 'input-refused': 403, 'network-limit': 403 } as const

/** The reason phrase is what apt prints: it is the code. */
function end(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, reason, { 'Content-Length': 0 })
  response.end()
}

/** Waits for the connection itself as well: a response that waits for its turn behind others hears of no close. */
async function drained(response: ServerResponse, connection: Duplex): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done)
      connection.off('close', done)
      resolve()
    }
    response.on('drain', done)
    connection.on('close', done)
    if (connection.destroyed) done()
  })
}
