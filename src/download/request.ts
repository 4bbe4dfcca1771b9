import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { getCACertificates } from 'node:tls'
import { AddressRefused, connectOnly, type ResolveAll } from '../../verifier/address/connect-only.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { downloadFailure } from './failures.ts'

/** Where a download may lead. */
export type RequestRules = {
  /** Whether http is taken as well as https. A redirect never leads from https to http. */
  readonly plainHttp: boolean
  /** Whether an address may be connected to; asked about every address of every host on the way. */
  readonly mayConnect: (address: string) => boolean
  /** The system's, if not given. */
  readonly resolve?: ResolveAll
  /** How long a server may be silent, ms; a minute, if not given. */
  readonly stallMs?: number
  /** How many redirects are followed; five, if not given. */
  readonly redirects?: number
  /** Authorities in PEM to trust beside the usual ones. */
  readonly authorities?: string | null
}

const MAX_REDIRECTS = 5
const MAX_URL = 4096
const STALL_MS = 60_000

/** A URL that could be fetched from, as far as that shows in its text. Throws `download-url-malformed`, `download-plain-http`. */
export function checkUrl(text: string, rules: Pick<RequestRules, 'plainHttp'>): URL {
  const url = text.length <= MAX_URL ? URL.parse(text) : null
  if (url === null || !isPlain(url)) throw downloadFailure('download-url-malformed')
  if (url.protocol === 'http:' && !rules.plainHttp) throw downloadFailure('download-plain-http')
  return url
}

/**
 * Asks for a URL, follows redirects, each held against the same rules, and gives the answer with its body unread. Nothing but
 * the URL is sent: no credentials, no cookies; no proxy of the environment is used, for it would connect where we cannot look.
 */
export async function request(text: string, rules: RequestRules, signal: AbortSignal): Promise<IncomingMessage> {
  let url = checkUrl(text, rules)
  const redirects = rules.redirects ?? MAX_REDIRECTS
  for (let hop = 0; hop <= redirects; hop += 1) {
    const answer = await ask(url, rules, signal)
    const status = answer.statusCode ?? 0
    if (status === 200) return answer
    answer.destroy()
    if (![301, 302, 303, 307, 308].includes(status))
      throw downloadFailure(status >= 500 || status === 429 || status === 408 ? 'download-failed' : 'download-absent', { status })
    url = redirected(url, answer.headers.location)
  }
  throw downloadFailure('download-redirect-limit', { limit: redirects })
}

async function ask(url: URL, rules: RequestRules, signal: AbortSignal): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  try {
    const lookup = connectOnly(url.hostname, rules.mayConnect, rules.resolve)
    return await new Promise<IncomingMessage>((settle, reject) => {
      let answered: IncomingMessage | undefined
      const outgoing = send(url, {
        // An agent of its own: no connection is shared, and none goes through a proxy.
        agent: false,
        ...(rules.authorities == null ? {} : { ca: [...getCACertificates('default'), rules.authorities] }),
        lookup,
        signal,
        timeout: rules.stallMs ?? STALL_MS,
        // The bytes are wanted as they lie on the server; one that says it coded them sends what lies there all the same.
        headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'bitwitness' },
      })
      // Before the answer and in the midst of its body alike.
      outgoing.on('timeout', () => (answered ?? outgoing).destroy(downloadFailure('download-time-limit')))
      outgoing.on('error', reject)
      outgoing.on('response', (answer) => {
        answered = answer
        // Later errors of the body reach whoever reads it; one that nobody reads must not end the process.
        answer.on('error', () => {})
        settle(answer)
      })
      outgoing.end()
    })
  } catch (error) {
    throw asFailure(error)
  }
}

/** What broke a request or its body off, in our words. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  return downloadFailure(error instanceof AddressRefused ? 'download-host-private' : 'download-failed')
}

function redirected(from: URL, location: string | undefined): URL {
  const to = location === undefined || location.length > MAX_URL ? null : URL.parse(location, from.href)
  // Where http is not taken, the way began with https.
  if (to === null || !isPlain(to) || (from.protocol === 'https:' && to.protocol === 'http:'))
    throw downloadFailure('download-redirect-refused')
  return to
}

function isPlain(url: URL): boolean {
  return (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '' && url.password === ''
}
