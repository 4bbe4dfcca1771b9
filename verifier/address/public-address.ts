import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** IANA's special-purpose registry of IPv4 (RFC 6890), what serves a protocol for everybody (AS112, AMT) included; multicast and the reserved rest. */
const NOT_PUBLIC_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]

/** In what IANA has given out of IPv6 (2000::/3): documentation, protocol assignments, AS112, and 6to4, which leads to any IPv4. */
const NOT_PUBLIC_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20']

const refused = new BlockList()
for (const range of NOT_PUBLIC_V4) addRange(refused, range, 'ipv4')
for (const range of NOT_PUBLIC_V6) addRange(refused, range, 'ipv6')
const assigned = new BlockList()
addRange(assigned, '2000::/3', 'ipv6')

/** Whether an address is one of the public internet. Anything that is not surely so is not: mapped and translated IPv4 among it. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !refused.check(address, 'ipv4')
  if (!isIPv6(address) || address.includes('%')) return false
  return assigned.check(address, 'ipv6') && !refused.check(address, 'ipv6')
}

function addRange(list: BlockList, range: string, family: 'ipv4' | 'ipv6'): void {
  const [network = '', prefix] = range.split('/')
  list.addSubnet(network, Number(prefix), family)
}
