import type { Context, MiddlewareHandler } from 'hono'
import { Failure } from '../../verifier/model/failure.ts'
import { clientAddress } from './client-address.ts'
import type { HttpEnv, HttpPorts } from './http-ports.ts'
import { TokenBuckets } from './token-buckets.ts'

/** Lets through whoever says believably who they are, as often as one may. */
export function callerGate({ authenticate, limits, now }: Pick<HttpPorts, 'authenticate' | 'limits' | 'now'>): MiddlewareHandler<HttpEnv> {
  const addresses = new TokenBuckets(limits.writesOfAddress, now)
  const owners = new TokenBuckets(limits.writesOfOwner, now)
  return async (c, next) => {
    // First the address: finding out who somebody is costs more than turning them away.
    spend(addresses, addressOf(c, limits.proxies))
    const caller = await authenticate(c.req.header('authorization') ?? null)
    spend(owners, caller.owner.id)
    c.set('caller', caller)
    await next()
  }
}

/** Lets through anybody, as often as writes of one address may come: for what needs no token and costs more than reading. */
export function addressGate({ limits, now }: Pick<HttpPorts, 'limits' | 'now'>): MiddlewareHandler<HttpEnv> {
  const addresses = new TokenBuckets(limits.writesOfAddress, now)
  return async (c, next) => {
    spend(addresses, addressOf(c, limits.proxies))
    await next()
  }
}

function addressOf(c: Context<HttpEnv>, proxies: number): string {
  // Tests without a server have no bindings.
  const remote = (c.env as HttpEnv['Bindings'] | undefined)?.incoming?.socket?.remoteAddress
  return clientAddress({ remote, forwarded: c.req.header('x-forwarded-for'), proxies })
}

function spend(buckets: TokenBuckets, key: string): void {
  const retryAfterSeconds = buckets.take(key)
  if (retryAfterSeconds > 0)
    throw new Failure({
      code: 'rate-limited',
      message: 'that is more requests than may be sent at once',
      hint: 'wait as long as Retry-After says',
      data: { retryAfterSeconds },
    })
}
