import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { AddressRefused, connectOnly } from '../../address/connect-only.ts'
import { isPublicAddress } from '../../address/public-address.ts'

const MAX_REDIRECTS = 5

/** How a mirror failed; `retry` says whether the same mirror may do better a moment later. */
export class MirrorError extends Error {
  readonly retry: boolean

  constructor(message: string, retry: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'MirrorError'
    this.retry = retry
  }
}

/** The start of an answer: its body is in `message` and must be read or destroyed. */
export type MirrorAnswer =
  | { readonly kind: 'absent' }
  | { readonly kind: 'body'; readonly message: IncomingMessage; readonly size: number | null }

export type MirrorRequests = {
  get(url: URL, signal: AbortSignal): Promise<MirrorAnswer>
  close(): void
}

/**
 * Asks mirrors for whole bodies over connections that are kept. `trusted` are the hosts that the operator named: a redirect to any other
 * host must lead to a public address, so that no mirror can make us fetch, and publish as escrow, what only our own network may see.
 */
export function mirrorRequests(trusted: ReadonlySet<string>, stallMs: number): MirrorRequests {
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) }

  async function once(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
    const guard = trusted.has(url.hostname) ? {} : { lookup: publicOnly(url.hostname) }
    const secure = url.protocol === 'https:'
    return await new Promise<IncomingMessage>((settle, reject) => {
      const options = {
        agent: secure ? agents.https : agents.http,
        signal,
        timeout: stallMs,
        // The body is taken as it is on the mirror; what a coding in transit would change is not ours to undo.
        headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'bitwitness' },
        ...guard,
      }
      const outgoing = (secure ? httpsRequest : httpRequest)(url, options, settle)
      outgoing.on('timeout', () => outgoing.destroy(new MirrorError('a mirror did not answer in time', true)))
      outgoing.on('error', (cause) => reject(unreached(cause)))
      outgoing.end()
    })
  }

  async function get(start: URL, signal: AbortSignal): Promise<MirrorAnswer> {
    let url = start
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const message = await once(url, signal)
      const status = message.statusCode ?? 0
      // Later errors of the body reach whoever reads it; one that nobody reads must not end the process.
      message.on('error', () => {})
      if (status === 200) return { kind: 'body', message, size: contentLength(message) }
      message.destroy()
      if (status === 404 || status === 410) return { kind: 'absent' }
      if (![301, 302, 303, 307, 308].includes(status))
        throw new MirrorError(`a mirror answered ${status}`, status >= 500 || status === 429 || status === 408)
      url = redirect(url, message.headers.location)
    }
    throw new MirrorError('a mirror redirects without end', false)
  }

  return {
    get,
    close() {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

function redirect(from: URL, location: string | undefined): URL {
  const to =
    location !== undefined && location.length <= 4096 && URL.canParse(location, from.href) ? new URL(location, from.href) : undefined
  const allowed = to !== undefined && (to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:'))
  if (to === undefined || !allowed || to.username !== '' || to.password !== '')
    throw new MirrorError('a mirror redirects to an address that is not allowed', false)
  return to
}

function contentLength(message: IncomingMessage): number | null {
  const text = message.headers['content-length']
  // Chunks say where they end; a body that ends with its connection could be cut short unseen.
  if (text === undefined && message.headers['transfer-encoding'] === 'chunked') return null
  const size = /^\d{1,15}$/.test(text ?? '') ? Number(text) : Number.NaN
  if (Number.isSafeInteger(size)) return size
  message.destroy()
  throw new MirrorError('a mirror states no usable length', false)
}

function publicOnly(hostname: string): ReturnType<typeof connectOnly> {
  try {
    return connectOnly(hostname, isPublicAddress)
  } catch (cause) {
    throw unreached(cause)
  }
}

function unreached(cause: unknown): MirrorError {
  if (cause instanceof MirrorError) return cause
  if (cause instanceof AddressRefused) return new MirrorError('a redirect leads to an address that is not public', false)
  return new MirrorError('a mirror could not be reached', true, cause)
}
