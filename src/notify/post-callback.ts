import { request } from 'node:https'
import { AddressRefused, connectOnly, type ResolveAll } from '../../verifier/address/connect-only.ts'
import { isPublicAddress } from '../../verifier/address/public-address.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { type CallbackFailureCode, callbackFailure } from './failures.ts'

export type CallbackRules = {
  /** For all of it, the look-up of the host among it, ms. */
  readonly timeoutMs: number
  readonly userAgent: string
  /** Whether an address may be connected to; those of the public internet, if not given. */
  readonly mayConnect?: (address: string) => boolean
  /** The system's, if not given. */
  readonly resolve?: ResolveAll
  /** PEM of authorities to trust in place of the usual ones. */
  readonly authorities?: string
}

export type Callback = { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: string }

const MAX_URL = 2048

/**
 * Posts a JSON document to a stranger's server: by https, to an address that was looked at, once, without any redirect, proxy or credential.
 * Of the answer only its status is read. Rejects with `callback-…`, `retryable` where another try may end otherwise, or with the signal's
 * reason.
 */
export async function postCallback(callback: Callback, rules: CallbackRules, signal: AbortSignal): Promise<void> {
  const url = checkedUrl(callback.url)
  const late = AbortSignal.timeout(rules.timeoutMs)
  try {
    const refused = refusalOf(await send(url, callback, { rules, signal: AbortSignal.any([signal, late]) }))
    if (refused !== null) throw refused
  } catch (error) {
    signal.throwIfAborted()
    if (late.aborted) throw callbackFailure('callback-timeout')
    if (error instanceof Failure) throw error
    throw callbackFailure(error instanceof AddressRefused ? 'callback-host-private' : 'callback-failed')
  }
}

function checkedUrl(text: string): URL {
  const url = text.length <= MAX_URL ? URL.parse(text) : null
  if (url?.protocol === 'https:' && url.username === '' && url.password === '') return url
  throw callbackFailure('callback-url-refused')
}

function refusalOf(status: number): Failure | null {
  if (status >= 200 && status < 300) return null
  const code = ((): CallbackFailureCode => {
    if (status === 410) return 'callback-gone'
    if (status >= 300 && status < 400) return 'callback-redirected'
    return status >= 400 && status < 500 ? 'callback-refused' : 'callback-failed'
  })()
  return callbackFailure(code, status)
}

async function send(
  url: URL,
  { headers, body }: Callback,
  { rules, signal }: { rules: CallbackRules; signal: AbortSignal },
): Promise<number> {
  const lookup = connectOnly(url.hostname, rules.mayConnect ?? isPublicAddress, rules.resolve)
  return await new Promise<number>((settle, reject) => {
    const outgoing = request(url, {
      method: 'POST',
      // An agent of its own: no connection is shared, and none goes through a proxy.
      agent: false,
      lookup,
      signal,
      headers: {
        ...headers,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': rules.userAgent,
      },
      ...(rules.authorities === undefined ? {} : { ca: rules.authorities }),
    })
    outgoing.on('error', reject)
    outgoing.on('response', (answer) => {
      // What follows the status is nobody's: a server that goes on sending is left.
      answer.on('error', () => {})
      settle(answer.statusCode ?? 0)
      outgoing.destroy()
    })
    outgoing.end(body)
  })
}
