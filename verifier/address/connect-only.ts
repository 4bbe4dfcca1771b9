import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'

/** An address that a host has, or is, may not be connected to. Its message names no address. */
export class AddressRefused extends Error {
  constructor() {
    super('the host has an address that may not be connected to')
    this.name = 'AddressRefused'
  }
}

/** node:dns's `lookup` where it is asked for all addresses. */
export type ResolveAll = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: readonly { readonly address: string; readonly family: number }[]) => void,
) => void

const systemResolve: ResolveAll = (hostname, options, callback) => lookup(hostname, options, callback)

/**
 * The `lookup` to give to node:net, node:http or node:https, which connect to what it answers and to nothing else: the addresses that are
 * looked at are those that are connected to, whatever a name server says a moment later. One address that `allowed` does not take refuses
 * the whole host. A host that is written as an address is looked at here and now, for node asks no lookup about it; then it throws
 * `AddressRefused`, as the connection does otherwise. `hostname` as a URL has it, in brackets or not.
 */
export function connectOnly(hostname: string, allowed: (address: string) => boolean, resolve: ResolveAll = systemResolve): LookupFunction {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && !allowed(host)) throw new AddressRefused()
  return (name, options, callback) => {
    resolve(name, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? []
      if (error !== null) callback(error, '', 0)
      else if (first === undefined || !addresses.every(({ address }) => allowed(address))) callback(new AddressRefused(), '', 0)
      else if (options.all === true) callback(null, [...addresses])
      else callback(null, first.address, first.family)
    })
  }
}
