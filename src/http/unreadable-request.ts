import type { MiddlewareHandler } from 'hono'
import { Failure } from '../../verifier/model/failure.ts'
import type { HttpApp, HttpEnv } from './http-ports.ts'

/** What the server hands over in place of a request whose first line or Host nobody can make an address of (RFC 9112, 3.2). */
const NO_ADDRESS = 'http://unreadable.invalid/'

/** The answer to such a request: a problem like any other, counted like any other. */
export async function answerUnreadable(app: HttpApp): Promise<Response> {
  return await app.request(NO_ADDRESS, {}, { unreadable: true })
}

/** Turns it away. What else it sent is not waited for: where it ends is as little to be trusted. */
export const refuseUnreadable: MiddlewareHandler<HttpEnv> = async (c, next) => {
  if ((c.env as HttpEnv['Bindings'] | undefined)?.unreadable !== true) return await next()
  c.header('Connection', 'close')
  throw new Failure({
    code: 'request-malformed',
    message: 'the address of the request cannot be read: its first line, or its Host',
    hint: 'send one Host, as host or host:port, and a path that begins with a slash',
  })
}
