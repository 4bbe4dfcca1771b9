import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { Readable } from 'node:stream'
import { createSecureContext, getCACertificates } from 'node:tls'
import { connectOnly } from '../../verifier/address/connect-only.ts'
import { isPublicAddress } from '../../verifier/address/public-address.ts'
import { ExchangeFailed, exchangeFailed } from './exchange-failed.ts'

export type Body = {
  /** Null: sent in pieces, its length not announced. */
  readonly size: number | null
  readonly open: () => AsyncIterable<Uint8Array>
}

export type Exchange = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Body
  /** Which addresses the host may have: a stranger's URL must not lead into the network that we are in. */
  readonly reach: 'any' | 'public'
  /** How long nothing at all may happen, and how long an answer may take to begin once all was sent, ms; a minute if not given. */
  readonly stallMs?: number
  readonly signal: AbortSignal
}

/** A server's answer, its body unread. Whoever has it reads the body to its end or destroys it. */
export type Answer = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: IncomingMessage
  /** Whether the address that answered is one of the public internet. */
  readonly fromPublic: boolean
}

export type HttpOptions = {
  /** PEM of certificate authorities to trust beside the usual ones. */
  readonly authorities: string | null
  readonly version: string
  /** No exchange reaches further than `public`. */
  readonly publicOnly?: boolean
}

const STALL_MS = 60_000

/**
 * HTTP as a registry needs it: one request, one answer, no redirect followed, nothing decompressed, no proxy of the environment (it would
 * connect where we cannot look). node:https and not fetch, since fetch takes neither a certificate authority nor a say in which address
 * a name may lead to.
 */
export class HttpClient implements Disposable {
  readonly #userAgent: string
  readonly #publicOnly: boolean
  readonly #tls: { readonly secureContext?: ReturnType<typeof createSecureContext> }
  readonly #plainAgent = new http.Agent({ keepAlive: true })
  readonly #secureAgent = new https.Agent({ keepAlive: true })

  constructor({ authorities, version, publicOnly = false }: HttpOptions) {
    this.#publicOnly = publicOnly
    this.#userAgent = `bitwitness/${version}`
    this.#tls = authorities === null ? {} : { secureContext: createSecureContext({ ca: [...getCACertificates('default'), authorities] }) }
  }

  /** Rejects with `ExchangeFailed`, with a failure of what the body is read from, or with the signal's reason. */
  async exchange(o: Exchange): Promise<Answer> {
    o.signal.throwIfAborted()
    try {
      return await this.#exchange(o)
    } catch (error) {
      o.signal.throwIfAborted()
      throw exchangeFailed(error)
    }
  }

  [Symbol.dispose](): void {
    this.#plainAgent.destroy()
    this.#secureAgent.destroy()
  }

  async #exchange(o: Exchange): Promise<Answer> {
    const secure = o.url.protocol === 'https:'
    const guarded = this.#publicOnly || o.reach === 'public'
    const outgoing = (secure ? https : http).request(o.url, {
      method: o.method,
      headers: { accept: '*/*', 'user-agent': this.#userAgent, ...lengthOf(o.body), ...o.headers },
      signal: o.signal,
      timeout: o.stallMs ?? STALL_MS,
      // A connection that is used again was looked at by whoever made it: strangers' hosts get one of their own.
      agent: guarded ? false : secure ? this.#secureAgent : this.#plainAgent,
      ...(guarded ? { lookup: connectOnly(o.url.hostname, isPublicAddress) } : {}),
      ...(secure ? this.#tls : {}),
    })
    let address: string | undefined
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      let answer: IncomingMessage | undefined
      let late: NodeJS.Timeout | undefined
      // A byte now and then, or one interim answer after the other, is something that happens, and no answer.
      outgoing.on('finish', () => {
        if (answer === undefined) late = setTimeout(() => outgoing.destroy(new ExchangeFailed('stalled')), o.stallMs ?? STALL_MS)
      })
      outgoing.on('close', () => clearTimeout(late))
      // Before the answer and in the midst of its body alike.
      outgoing.on('timeout', () => (answer ?? outgoing).destroy(new ExchangeFailed('stalled')))
      outgoing.on('error', reject)
      outgoing.on('response', (message) => {
        answer = message
        clearTimeout(late)
        // Later the connection may be gone, and with it the address.
        address = message.socket.remoteAddress
        // A body that nobody reads any more must not end the process.
        message.on('error', () => {})
        // The rest of a request that was answered early is never sent, and its connection is of no more use.
        message.on('end', () => {
          if (!outgoing.writableFinished) outgoing.destroy()
        })
        resolve(message)
      })
    })
    const [message] = await Promise.all([answered, send(outgoing, o.body, answered)])
    // Whose address is not known gets to no private one.
    const fromPublic = address === undefined || isPublicAddress(address)
    return { status: message.statusCode ?? 0, headers: message.headers, body: message, fromPublic }
  }
}

function lengthOf(body: Body | undefined): Record<string, string> {
  if (body === undefined) return {}
  return body.size === null ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(body.size) }
}

/** Sends the body as fast as it is taken, and no further once there is an answer: nobody waits for the rest then. */
async function send(outgoing: ClientRequest, body: Body | undefined, answered: Promise<IncomingMessage>): Promise<void> {
  if (body === undefined) {
    outgoing.end()
    return
  }
  const source = Readable.from(body.open(), { objectMode: false, highWaterMark: 1 << 20 })
  let over = false
  const stop = (): void => {
    over = true
    source.destroy()
  }
  answered.then(stop, stop)
  try {
    for await (const part of source as AsyncIterable<Uint8Array>) {
      if (over) return
      if (!outgoing.write(part)) await settled(outgoing)
    }
    if (!over) outgoing.end()
  } catch (error) {
    if (!over) outgoing.destroy(error instanceof Error ? error : new ExchangeFailed('lost'))
  }
}

const SETTLING = ['drain', 'close', 'error', 'response'] as const

/** Room for more, or the end: why it ended, the request itself says. */
function settled(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      for (const event of SETTLING) outgoing.off(event, settle)
      resolve()
    }
    for (const event of SETTLING) outgoing.on(event, settle)
  })
}
