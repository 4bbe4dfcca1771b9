import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type LookupFunction, type Server } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { AddressRefused, connectOnly, type ResolveAll } from './connect-only.ts'
import { isPublicAddress } from './public-address.ts'

let server: Server
let port: number
let connections: number
beforeEach(async () => {
  connections = 0
  server = createServer((socket) => {
    connections += 1
    socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterEach(() => void server.close())

/** A name server that says something else each time it is asked, and at last nothing. */
function saying(...rounds: readonly (readonly string[])[]): { readonly resolve: ResolveAll; readonly asked: string[] } {
  const left = [...rounds]
  const asked: string[] = []
  const resolve: ResolveAll = (name, options, callback) => {
    expect(options.all).toBe(true)
    asked.push(name)
    callback(
      null,
      (left.shift() ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
  return { resolve, asked }
}

/** The address that was connected to. */
async function connected(host: string, lookup: LookupFunction): Promise<string | undefined> {
  const socket = connect({ host, port, lookup })
  try {
    await once(socket, 'connect')
    return socket.remoteAddress
  } finally {
    socket.destroy()
  }
}

const loopback = (address: string): boolean => address.startsWith('127.')

it('leads to the address that was looked at, whatever a name server says a moment later', async () => {
  const { resolve, asked } = saying(['127.0.0.1'], ['10.0.0.1'])
  expect(await connected('forge.test', connectOnly('forge.test', loopback, resolve))).toBe('127.0.0.1')
  expect(asked).toEqual(['forge.test'])
})

it.each([[['127.0.0.1']], [['93.184.216.34', '127.0.0.1']], [['::ffff:127.0.0.1']], [['::1', '127.0.0.1']], [[]]])(
  'is not made to a host with %j',
  async (addresses) => {
    const { resolve } = saying(addresses)
    await expect(connected('forge.test', connectOnly('forge.test', isPublicAddress, resolve))).rejects.toBeInstanceOf(AddressRefused)
    expect(connections).toBe(0)
  },
)

it.each(['127.0.0.1', '[::1]', '::1', '[::ffff:127.0.0.1]', '10.0.0.1', '169.254.169.254'])(
  'is not made to %s, which no name server is asked about',
  (host) => {
    expect(() => connectOnly(host, isPublicAddress)).toThrow(AddressRefused)
  },
)

it('is made to an address that is allowed', async () => {
  expect(await connected('127.0.0.1', connectOnly('127.0.0.1', loopback, saying().resolve))).toBe('127.0.0.1')
})

it('fails as the name server does', async () => {
  const cause = Object.assign(new Error('unknown'), { code: 'ENOTFOUND' })
  const lookup = connectOnly('forge.test', isPublicAddress, (_name, _options, callback) => callback(cause, []))
  await expect(connected('forge.test', lookup)).rejects.toBe(cause)
})

it('gives a single address to who asks for one', async () => {
  const lookup = connectOnly('forge.test', loopback, saying(['127.0.0.2', '127.0.0.1']).resolve)
  const answer = await new Promise((resolve) => lookup('forge.test', {}, (...given) => resolve(given)))
  expect(answer).toEqual([null, '127.0.0.2', 4])
})
