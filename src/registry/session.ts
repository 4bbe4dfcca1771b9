import type { Failure } from '../../verifier/model/failure.ts'
import { Authorizer } from './authorizer.ts'
import type { Credentials } from './docker-config.ts'
import type { Endpoint } from './endpoint.ts'
import { ExchangeFailed } from './exchange-failed.ts'
import { registryFailure } from './failures.ts'
import type { Answer, Body, HttpClient } from './http-client.ts'
import { redirectTarget, uploadTarget } from './origins.ts'
import { drop, readBody } from './read-body.ts'
import { backoff, type Pace, patience } from './retry.ts'

export type SessionOptions = {
  readonly endpoint: Endpoint
  readonly repository: string
  readonly access: 'pull' | 'push'
  /** Another repository of the registry that blobs may be taken over from. */
  readonly mountFrom: string | null
  readonly http: Pick<HttpClient, 'exchange'>
  readonly credentials: (signal: AbortSignal) => Promise<Credentials | null>
  readonly pace: Pace
}

export type RegistryRequest = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH'
  /** Below the repository, such as `manifests/latest`; or where an upload goes on. */
  readonly at: string | URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Body
  /** Made once only: what to do after a broken connection or an error of the registry's is the caller's to say. */
  readonly once?: boolean
  readonly stallMs?: number
  readonly signal: AbortSignal
}

const MAX_REDIRECTS = 5
const PROBE_MS = 10_000
/** For answers that are read as a whole: a registry that drips is as good as silent. */
const SMALL_SECONDS = 120
/** How often a body that breaks off is asked for; each of them is a request with tries of its own. */
const MOST_READS = 3

/** One repository of one registry, for one command: knows where it is, who asks, and when to ask again. */
export class RegistrySession {
  readonly repository: string
  readonly mountFrom: string | null
  readonly pace: Pace
  readonly #options: SessionOptions
  readonly #authorizer: Authorizer
  readonly #scopes: readonly string[]
  #origin: Promise<URL> | undefined
  /** Until it answered, a registry counts as one of the public internet. */
  #fromPublic = true

  constructor(options: SessionOptions) {
    const { repository, access, mountFrom, http, credentials, pace } = options
    this.repository = repository
    this.mountFrom = mountFrom
    this.pace = pace
    this.#options = options
    this.#authorizer = new Authorizer({ http, credentials, pace })
    const scope = `repository:${repository}:${access === 'push' ? 'pull,push' : 'pull'}`
    this.#scopes = mountFrom === null ? [scope] : [scope, `repository:${mountFrom}:pull`]
  }

  /**
   * Asks, as often as it makes sense, and gives an answer of the kinds 2xx and 4xx; with `once` also 429 and 5xx. Rejects with a
   * `registry-…` failure; with `once` also with `ExchangeFailed` where there is no answer.
   */
  async request(request: RegistryRequest): Promise<Answer> {
    const { pace } = this
    for (let made = 1; ; made += 1) {
      let asks: ReturnType<typeof patience> = null
      try {
        const answer = await this.#ask(request)
        const { status } = answer
        const busy = status === 429 || status >= 500
        if (!busy || request.once === true) return answer
        await drop(answer)
        asks = patience(answer.headers['retry-after'], pace)
        if (made >= pace.tries || asks?.longer === true) throw busyFailure(status, asks)
      } catch (error) {
        if (!(error instanceof ExchangeFailed)) throw error
        if (request.once === true && !isFinal(error)) throw error
        if (made >= pace.tries || isFinal(error)) throw unreachable(error)
      }
      await pace.wait(asks?.ms ?? backoff(made, pace), request.signal)
    }
  }

  /** Asks for something that is read as a whole, at most `limit` bytes. The body of a refusal is not looked at. */
  async fetch(request: RegistryRequest, limit: number): Promise<{ readonly answer: Answer; readonly bytes: Buffer }> {
    for (let made = 1; ; made += 1) {
      const late = new AbortController()
      const timer = setTimeout(() => late.abort(), SMALL_SECONDS * 1000)
      try {
        const answer = await this.request({ ...request, signal: AbortSignal.any([request.signal, late.signal]) })
        if (answer.status >= 200 && answer.status < 300) return { answer, bytes: await readBody(answer, limit) }
        await drop(answer)
        return { answer, bytes: Buffer.alloc(0) }
      } catch (error) {
        request.signal.throwIfAborted()
        if (late.signal.aborted) throw registryFailure('registry-unreachable', { reason: 'slow' })
        if (!(error instanceof ExchangeFailed)) throw error
        if (made >= MOST_READS) throw unreachable(error)
      } finally {
        clearTimeout(timer)
      }
      await this.pace.wait(backoff(made, this.pace), request.signal)
    }
  }

  /** Where an upload goes on, from the Location of an answer. */
  async uploadUrl(answer: Answer, from: URL | string): Promise<URL> {
    const origin = await this.#where(AbortSignal.timeout(PROBE_MS))
    const url = uploadTarget(answer.headers.location, { origin, from: typeof from === 'string' ? this.#below(origin, from) : from })
    if (url === null)
      throw registryFailure(answer.headers.location === undefined ? 'registry-answer-malformed' : 'registry-redirect-refused')
    return url
  }

  /** The next page of a list. It is the registry's own, or nobody's. */
  async pageUrl(link: string, from: URL | string): Promise<URL> {
    const origin = await this.#where(AbortSignal.timeout(PROBE_MS))
    const url = uploadTarget(link, { origin, from: typeof from === 'string' ? this.#below(origin, from) : from })
    if (url?.origin === origin.origin) return url
    throw registryFailure('registry-redirect-refused', { action: 'referrers' })
  }

  #below(origin: URL, path: string): URL {
    return new URL(`/v2/${this.repository}/${path}`, origin)
  }

  /** One request with its redirects and, where asked for, its credentials. */
  async #ask(request: RegistryRequest): Promise<Answer> {
    const origin = await this.#where(request.signal)
    let url = typeof request.at === 'string' ? this.#below(origin, request.at) : request.at
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const answer = url.origin === origin.origin ? await this.#askRegistry(request, url, origin) : await this.#askElsewhere(request, url)
      if (![301, 302, 303, 307, 308].includes(answer.status)) return answer
      await drop(answer)
      const next =
        request.method === 'GET' || request.method === 'HEAD' ? redirectTarget(answer.headers.location, { origin, from: url }) : null
      if (next === null) throw registryFailure('registry-redirect-refused', { status: answer.status })
      url = next
    }
    throw registryFailure('registry-redirect-refused', { reason: 'too-many' })
  }

  async #askRegistry(request: RegistryRequest, url: URL, origin: URL): Promise<Answer> {
    let authorization = this.#authorizer.header(this.#scopes)
    for (let asked = 0; ; asked += 1) {
      const answer = await this.#send(request, url, authorization)
      this.#fromPublic = answer.fromPublic
      if (answer.status === 403) {
        await drop(answer)
        throw registryFailure('registry-denied', { status: 403 })
      }
      if (answer.status !== 401) return answer
      await drop(answer)
      if (asked > 0) {
        const anonymous = await this.#authorizer.anonymous(request.signal)
        throw registryFailure(anonymous ? 'registry-credentials-missing' : 'registry-denied', { status: 401 })
      }
      authorization = await this.#authorizer.answer({
        header: answer.headers['www-authenticate'],
        origin,
        scopes: this.#scopes,
        fromPublic: this.#fromPublic,
        signal: request.signal,
      })
    }
  }

  /** Somebody else's server, such as the store that a registry sends to: it gets no credentials. */
  async #askElsewhere(request: RegistryRequest, url: URL): Promise<Answer> {
    try {
      return await this.#send(request, url, undefined)
    } catch (error) {
      if (error instanceof ExchangeFailed && error.trouble === 'address-refused') throw registryFailure('registry-redirect-refused')
      throw error
    }
  }

  async #send(request: RegistryRequest, url: URL, authorization: string | undefined): Promise<Answer> {
    const { method, headers, body, stallMs, signal } = request
    return await this.#options.http.exchange({
      method,
      url,
      headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
      ...(body === undefined ? {} : { body }),
      ...(stallMs === undefined ? {} : { stallMs }),
      reach: url.origin === (await this.#where(signal)).origin || !this.#fromPublic ? 'any' : 'public',
      signal,
    })
  }

  #where(signal: AbortSignal): Promise<URL> {
    this.#origin ??= this.#findOrigin(signal)
    return this.#origin
  }

  /** On this machine a registry may speak TLS or not: what it does is seen by trying. */
  async #findOrigin(signal: AbortSignal): Promise<URL> {
    const { host, scheme } = this.#options.endpoint
    if (scheme !== 'ask') return new URL(`${scheme}://${host}`)
    const secure = new URL(`https://${host}`)
    try {
      const url = new URL('/v2/', secure)
      await drop(await this.#options.http.exchange({ method: 'GET', url, headers: {}, reach: 'any', stallMs: PROBE_MS, signal }))
      return secure
    } catch (error) {
      if (!(error instanceof ExchangeFailed) || error.trouble === 'tls-untrusted') {
        // Asked again, it may be there.
        this.#origin = undefined
        throw error instanceof ExchangeFailed ? unreachable(error) : error
      }
      return new URL(`http://${host}`)
    }
  }
}

function busyFailure(status: number, asks: ReturnType<typeof patience>): Failure {
  const data = { status, ...(asks === null ? {} : { retryAfterSeconds: Math.ceil(asks.ms / 1000) }) }
  return registryFailure(status === 429 ? 'registry-rate-limited' : 'registry-failing', data)
}

/** Whether trying again changes nothing. */
function isFinal({ trouble }: ExchangeFailed): boolean {
  return ['tls-untrusted', 'not-tls', 'not-http', 'address-refused'].includes(trouble)
}

export function unreachable({ trouble }: ExchangeFailed): Failure {
  if (trouble === 'tls-untrusted') return registryFailure('registry-tls-untrusted')
  if (trouble === 'not-tls') return registryFailure('registry-without-tls')
  if (trouble === 'not-http') return registryFailure('registry-answer-malformed', { reason: trouble })
  return registryFailure('registry-unreachable', { reason: trouble })
}
