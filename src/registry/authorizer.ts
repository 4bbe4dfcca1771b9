import { z } from 'zod'
import { Secret } from '../../verifier/model/secret.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import type { Credentials } from './docker-config.ts'
import { ExchangeFailed } from './exchange-failed.ts'
import { registryFailure } from './failures.ts'
import type { Answer, Body, HttpClient } from './http-client.ts'
import { realmTarget } from './origins.ts'
import { drop, parseJson, readBody } from './read-body.ts'
import { backoff, type Pace, patience } from './retry.ts'

export type AuthorizerOptions = {
  readonly http: Pick<HttpClient, 'exchange'>
  readonly credentials: (signal: AbortSignal) => Promise<Credentials | null>
  readonly pace: Pace
}

type Challenged = {
  readonly header: string | undefined
  readonly origin: URL
  readonly scopes: readonly string[]
  /** Whether the registry answered from the public internet: then its realm must be there as well. */
  readonly fromPublic: boolean
  readonly signal: AbortSignal
}

const Token = z.looseObject({
  token: z.string().optional(),
  access_token: z.string().optional(),
  /** Seconds; a minute where it is not said (Docker's token specification). */
  expires_in: z.number().nonnegative().optional(),
})

const MAX_TOKEN_ANSWER = 256 * 1024
/** What a header may carry. */
const SENDABLE = /^[\x21-\x7e]{1,65536}$/
/** A token that is about to end is not sent any more. */
const LEEWAY_MS = 5000

/** What the registry is shown, by what is wanted of it: got when it asks, kept as long as it lasts. */
export class Authorizer {
  readonly #options: AuthorizerOptions
  readonly #tokens = new Map<string, { readonly header: Secret; readonly until: number }>()
  #credentials: Promise<Credentials | null> | undefined
  #basic: Secret | undefined

  constructor(options: AuthorizerOptions) {
    this.#options = options
  }

  /** The Authorization header to send, if one is known already. */
  header(scopes: readonly string[]): string | undefined {
    const token = this.#tokens.get(scopes.join(' '))
    if (token !== undefined && token.until > this.#options.pace.now()) return token.header.reveal()
    return this.#basic?.reveal()
  }

  /** Whether there is anybody to be recognised as. */
  async anonymous(signal: AbortSignal): Promise<boolean> {
    return (await this.#known(signal)) === null
  }

  /** Gets what a 401 asked for, as the header to send. Rejects with a `registry-…` failure. */
  async answer(challenged: Challenged): Promise<string> {
    const challenges = challenged.header === undefined ? undefined : parseChallenges(challenged.header)
    if (challenges === undefined) throw registryFailure('registry-answer-malformed', { action: 'challenge' })
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
    if (bearer !== undefined) return await this.#token(bearer, challenged)
    if (!challenges.some(({ scheme }) => scheme === 'basic')) throw registryFailure('registry-answer-malformed', { action: 'challenge' })
    const credentials = await this.#known(challenged.signal)
    if (credentials === null) throw registryFailure('registry-credentials-missing')
    if (credentials.kind !== 'password') throw registryFailure('registry-denied', { reason: 'identity-token' })
    const header = basic(credentials)
    this.#basic = new Secret(header)
    return header
  }

  #known(signal: AbortSignal): Promise<Credentials | null> {
    this.#credentials ??= this.#options.credentials(signal)
    return this.#credentials
  }

  async #token({ parameters }: Challenge, o: Challenged): Promise<string> {
    const realm = realmTarget(parameters.get('realm'), o.origin)
    if (realm === null) throw registryFailure('registry-challenge-refused')
    const credentials = await this.#known(o.signal)
    const service = parameters.get('service')
    const asked = new URLSearchParams(service === undefined ? {} : { service })
    for (const scope of o.scopes) asked.append('scope', scope)
    const { pace } = this.#options
    const before = pace.now()
    const bytes = await this.#ask(realm, { asked, credentials, challenged: o })
    const parsed = Token.safeParse(parseJson(bytes))
    const token = parsed.data?.token ?? parsed.data?.access_token
    if (token === undefined || !SENDABLE.test(token)) throw registryFailure('registry-answer-malformed', { action: 'token' })
    const lasts = Math.max((parsed.data?.expires_in ?? 60) * 1000 - LEEWAY_MS, 0)
    const header = `Bearer ${token}`
    this.#tokens.set(o.scopes.join(' '), { header: new Secret(header), until: before + lasts })
    return header
  }

  async #ask(realm: URL, o: { asked: URLSearchParams; credentials: Credentials | null; challenged: Challenged }): Promise<Buffer> {
    const { http, pace } = this.#options
    const { signal, fromPublic } = o.challenged
    const { url, headers, body } = tokenRequest(realm, o.asked, o.credentials)
    for (let made = 1; ; made += 1) {
      let asks: ReturnType<typeof patience> = null
      try {
        const answer = await http.exchange({
          method: body === undefined ? 'GET' : 'POST',
          url,
          headers,
          ...(body === undefined ? {} : { body }),
          reach: fromPublic ? 'public' : 'any',
          signal,
        })
        if (answer.status === 200) return await readBody(answer, MAX_TOKEN_ANSWER)
        await drop(answer)
        asks = patience(answer.headers['retry-after'], pace)
        refuse(answer, made >= pace.tries, asks)
      } catch (error) {
        if (!(error instanceof ExchangeFailed)) throw error
        if (error.trouble === 'address-refused') throw registryFailure('registry-challenge-refused')
        if (made >= pace.tries || error.trouble === 'tls-untrusted')
          throw registryFailure('registry-token-refused', { reason: error.trouble })
      }
      await pace.wait(asks?.ms ?? backoff(made, pace), signal)
    }
  }
}

/** Throws where asking again would change nothing. */
function refuse({ status }: Answer, last: boolean, asks: ReturnType<typeof patience>): void {
  if (status === 429 || status >= 500) {
    if (last || asks?.longer === true)
      throw registryFailure(status === 429 ? 'registry-rate-limited' : 'registry-failing', {
        status,
        ...(asks === null ? {} : { retryAfterSeconds: Math.ceil(asks.ms / 1000) }),
      })
    return
  }
  throw registryFailure('registry-token-refused', { status })
}

type TokenRequest = { readonly url: URL; readonly headers: Record<string, string>; readonly body?: Body }

/** A GET as Docker's token specification has it; with an identity token the POST of its OAuth2 form. */
function tokenRequest(realm: URL, asked: URLSearchParams, credentials: Credentials | null): TokenRequest {
  if (credentials?.kind === 'identity-token') {
    const form = new URLSearchParams(
      asked
        .entries()
        .filter(([name]) => name !== 'scope')
        .toArray(),
    )
    form.set('scope', asked.getAll('scope').join(' '))
    form.set('grant_type', 'refresh_token')
    form.set('client_id', 'bitwitness')
    form.set('refresh_token', credentials.token.reveal())
    const bytes = Buffer.from(form.toString())
    return {
      url: realm,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: { size: bytes.length, open: () => once(bytes) },
    }
  }
  const url = new URL(realm)
  for (const [name, value] of asked) url.searchParams.append(name, value)
  return { url, headers: credentials === null ? {} : { authorization: basic(credentials) } }
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes
}

function basic(credentials: Extract<Credentials, { kind: 'password' }>): string {
  const text = `${credentials.username}:${credentials.password.reveal()}`
  return `Basic ${Buffer.from(text, 'utf8').toString('base64')}`
}
