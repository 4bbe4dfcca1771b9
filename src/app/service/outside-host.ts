import { isIP } from 'node:net'
import { isPublicAddress } from '../../../verifier/address/public-address.ts'

/**
 * Whether a host, as a parsed URL has it, may be one of the public internet: false for an address that is none, and for this machine's own
 * name. What a name leads to is looked at whenever something is fetched from it.
 */
export function mayBePublic(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  return isIP(host) === 0 ? !/(?:^|\.)localhost$/i.test(host) : isPublicAddress(host)
}
