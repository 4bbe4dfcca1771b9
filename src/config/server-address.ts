import { isIP } from 'node:net'
import { parseBase } from './mirrors.ts'

/**
 * Address of a service: its origin and the path that it is under, with a slash at the end; undefined where it is none. What is sent there
 * is a token: without TLS it may cross this machine and networks of one's own, and no other.
 */
export function parseServerAddress(text: string): URL | undefined {
  const url = text.length <= 2048 ? parseBase(text) : undefined
  return url !== undefined && (url.protocol === 'https:' || isOwn(url.hostname)) ? url : undefined
}

export const SERVER_FORM = 'a URL with https; with http on this machine, on a private address, or a name without a dot'

/** RFC 1918, RFC 4193 and what is on the same link; a name without a dot is of no public host. */
function isOwn(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) === 4) return /^(?:127|10)\.|^192\.168\.|^169\.254\.|^172\.(?:1[6-9]|2\d|3[01])\./.test(host)
  if (isIP(host) === 6) return /^::1$|^f[cd]|^fe[89ab]/.test(host)
  return host === 'localhost' || host.endsWith('.localhost') || !host.includes('.')
}
