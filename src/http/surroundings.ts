import type { Context, MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { routePath } from 'hono/route'
import { inRequest } from '../app/service/request-scope.ts'
import type { HttpEnv, HttpPorts } from './http-ports.ts'

/** Gives each request an id of ours. What a sender calls it is not believed: it would stand in our log beside somebody else's. */
export function numbered({ newId, onAnswer }: Pick<HttpPorts, 'newId' | 'onAnswer'>): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const began = performance.now()
    const requestId = newId()
    c.set('requestId', requestId)
    await inRequest(requestId, next)
    c.res.headers.set('X-Request-Id', requestId)
    const code = c.get('problem') ?? null
    onAnswer({ requestId, method: c.req.method, route: routeOf(c), status: c.res.status, ms: performance.now() - began, code })
  }
}

/** The last pattern that fits; those of middleware fit everything. */
function routeOf(c: Context<HttpEnv>): string {
  const route = routePath(c, -1)
  return route === '' || route.endsWith('*') ? '-' : route
}

/** Nothing that is answered is a page, or a part of one, unless it says so itself. */
export const guarded: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next()
  const { headers } = c.res
  headers.set('X-Content-Type-Options', 'nosniff')
  headers.set('Referrer-Policy', 'no-referrer')
  headers.set('X-Frame-Options', 'DENY')
  if (!headers.has('Content-Security-Policy')) headers.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
  if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-cache')
}

const READS = ['GET', 'HEAD', 'OPTIONS']

/** Nothing that is read takes a body: whoever sends one has an answer, and is not listened to until it ends. */
export const bodiless: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next()
  const sends = Number(c.req.header('content-length') ?? 0) !== 0 || c.req.header('transfer-encoding') !== undefined
  if (sends && READS.includes(c.req.method)) c.res.headers.set('Connection', 'close')
}

const readable = cors({
  origin: '*',
  allowMethods: ['GET', 'HEAD'],
  allowHeaders: ['If-None-Match', 'Last-Event-ID', 'Range'],
  exposeHeaders: ['Content-Range', 'ETag', 'Link', 'Retry-After', 'X-Request-Id'],
  maxAge: 86_400,
})

/** What is public any page may read. What changes something is for programs that hold a token. */
export const crossOrigin: MiddlewareHandler<HttpEnv> = async (c, next) =>
  READS.includes(c.req.method) ? await readable(c, next) : await next()
