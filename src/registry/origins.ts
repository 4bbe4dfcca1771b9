import { isLoopback } from './endpoint.ts'

const MAX_URL = 8192

/** What a URL that a registry sends us to may be. */
export type Whence = {
  /** Where the registry's API is. */
  readonly origin: URL
  /** Of what the URL stands in; relative ones are resolved against it. */
  readonly from: URL
}

/**
 * Where an answer redirects to. From https never to http; from http only to this machine, for then the registry is there too, or to the
 * registry itself. Null for anything else that nothing is fetched from.
 */
export function redirectTarget(location: string | undefined, { origin, from }: Whence): URL | null {
  const url = plainUrl(location, from)
  if (url === null || url.protocol === 'https:') return url
  const stays = url.origin === origin.origin || (isLoopback(origin.host) && isLoopback(url.host))
  return from.protocol === 'http:' && stays ? url : null
}

/**
 * Where an upload goes on. A registry behind a proxy that ends TLS often writes its own address with http: it is the same place, and is
 * taken with the scheme that we came by.
 */
export function uploadTarget(location: string | undefined, { origin, from }: Whence): URL | null {
  const url = plainUrl(location, from)
  if (url?.protocol !== 'http:' || origin.protocol === 'http:') return redirectTarget(location, { origin, from })
  url.protocol = 'https:'
  return url.host === origin.host ? url : null
}

/**
 * Where a token is asked for. https, and http only where registry and realm are both on this machine. Null for anything else: who may
 * write a challenge could otherwise have us ask, with a password, wherever they like.
 */
export function realmTarget(realm: string | undefined, origin: URL): URL | null {
  const url = plainUrl(realm, undefined)
  if (url === null || url.protocol === 'https:') return url
  return origin.protocol === 'http:' && isLoopback(origin.host) && isLoopback(url.host) ? url : null
}

function plainUrl(text: string | undefined, base: URL | undefined): URL | null {
  if (text === undefined || text.length > MAX_URL) return null
  const url = URL.parse(text, base?.href)
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return null
  return url.username === '' && url.password === '' && url.hash === '' ? url : null
}
