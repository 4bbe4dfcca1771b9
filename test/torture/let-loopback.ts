import dns from 'node:dns'
import { registerHooks, syncBuiltinESMExports } from 'node:module'
import { RECEIVER_HOST } from '../../src/notify/testing/webhook-receiver.ts'

/**
 * `node --import` of this lets a service tell callbacks to a receiver on this machine, which it refuses otherwise: the receiver's name leads
 * to the loopback, and the loopback counts as public. Nothing else of the program is changed.
 */
const LOOPBACK = '127.0.0.1'
const BEGIN = 'export function isPublicAddress(address: string): boolean {\n'

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.endsWith('/verifier/address/public-address.ts')) return loaded
    const source = Buffer.from((loaded.source ?? '') as Uint8Array).toString('utf8')
    if (!source.includes(BEGIN)) throw new Error('public-address.ts is not what it was')
    return { ...loaded, source: source.replace(BEGIN, `${BEGIN}  if (address === '${LOOPBACK}') return true\n`) }
  },
})

const real = dns.lookup
const lookup = (host: string, options: object, callback: (error: null, found: { address: string; family: number }[]) => void): void => {
  if (host === RECEIVER_HOST) callback(null, [{ address: LOOPBACK, family: 4 }])
  else (real as (...all: unknown[]) => void)(host, options, callback)
}
Object.assign(dns, { lookup })
syncBuiltinESMExports()
