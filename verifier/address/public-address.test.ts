import { isIPv4 } from 'node:net'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isPublicAddress } from './public-address.ts'

it.each([
  '1.1.1.1',
  '8.8.8.8',
  '93.184.216.34',
  '100.63.255.255',
  '100.128.0.1',
  '172.15.0.1',
  '172.32.0.1',
  '192.31.195.255',
  '192.31.197.0',
  '2001:200::',
  '2001:db7:ffff::1',
  '2001:db9::1',
  '2620:4f:7fff:ffff::1',
  '2620:4f:8001::1',
  '2606:4700::1111',
  '2606:4700:4700::1111',
  '2a00:1450:4001::200e',
  '2a00:1450::1',
])('knows %s as public', (address) => {
  expect(isPublicAddress(address)).toBe(true)
})

it.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.31.196.1',
  '192.52.193.1',
  '192.88.99.1',
  '192.168.0.1',
  '192.168.1.1',
  '192.175.48.1',
  '198.19.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '64:ff9b::7f00:1',
  'fe80::1',
  'fe80::1%eth0',
  '2606:4700::1111%eth0',
  'fc00::1',
  'fd12::1',
  'ff02::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  '127.1',
  'localhost',
  '',
])('takes %j for an address that is not public', (address) => {
  expect(isPublicAddress(address)).toBe(false)
})

/**
 * IANA's special-purpose registries of IPv4 and IPv6 (RFC 6890, RFC 8190, as of October 2025), whether globally reachable or not: what is
 * (AS112, AMT, anycast of protocols) serves a protocol, and no repository. Beside them what is multicast, reserved or given up.
 */
const SPECIAL = `
  0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.31.196.0/24
  192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4
  240.0.0.0/4 255.255.255.255/32
  ::/128 ::1/128 ::/96 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001:db8::/32 2002::/16
  2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8
`
  .trim()
  .split(/\s+/)
  .map((range) => {
    const [network = '', prefix] = range.split('/')
    return { range, network: bitsOf(network), free: (isIPv4(network) ? 32 : 128) - Number(prefix), four: isIPv4(network) }
  })

it.each(SPECIAL)('takes nothing of $range for public, from its first address to its last', ({ network, free, four }) => {
  const last = (1n << BigInt(free)) - 1n
  expect([0n, last].map((host) => isPublicAddress(addressOf(network + host, four)))).toEqual([false, false])
  fc.assert(fc.property(fc.bigInt(0n, last), (host) => !isPublicAddress(addressOf(network + host, four))))
})

function bitsOf(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)
  const [head = [], tail = []] = address.split('::').map((side) => side.split(':').filter((group) => group !== ''))
  const groups = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail]
  return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n)
}

function addressOf(bits: bigint, four: boolean): string {
  const part = (at: number, size: bigint): bigint => (bits >> (BigInt(at) * size)) & ((1n << size) - 1n)
  if (four) return [3, 2, 1, 0].map((at) => part(at, 8n)).join('.')
  return [7, 6, 5, 4, 3, 2, 1, 0].map((at) => part(at, 16n).toString(16)).join(':')
}
