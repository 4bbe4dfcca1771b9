import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { isPublicAddress } from '../../address/public-address.ts'
import { sourceFailure } from '../failures.ts'

/** Addresses of a host name; rejects where there are none. */
export type Resolve = (host: string) => Promise<readonly string[]>

export async function systemResolve(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address)
}

/**
 * Looks at the addresses of a repository's host, and gives the git setting that holds git to exactly these. Without it a name server of
 * the publisher could answer us with a public address and git, a moment later, with one inside this network (DNS rebinding).
 */
export async function pinHost(
  url: URL,
  o: { readonly privateHosts: boolean; readonly resolve: Resolve; readonly signal: AbortSignal },
): Promise<readonly (readonly [string, string])[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const literal = isIP(host) !== 0
  const addresses = literal ? [host] : await resolved(host, o.resolve)
  o.signal.throwIfAborted()
  if (!o.privateHosts && !addresses.every(isPublicAddress)) throw sourceFailure('source-host-private')
  if (literal) return []
  const port = url.port === '' ? (url.protocol === 'http:' ? '80' : '443') : url.port
  const list = addresses.map((address) => (isIP(address) === 6 ? `[${address}]` : address)).join(',')
  return [['http.curloptResolve', `${host}:${port}:${list}`]]
}

async function resolved(host: string, resolve: Resolve): Promise<readonly string[]> {
  try {
    const addresses = await resolve(host)
    if (addresses.length > 0 && addresses.every((address) => isIP(address) !== 0)) return addresses.slice(0, 16)
  } catch (cause) {
    throw sourceFailure('source-host-unknown', {}, cause)
  }
  throw sourceFailure('source-host-unknown')
}
