import { describe, expect, it } from 'vitest'
import { clientAddress } from './client-address.ts'

const direct = (remote: string | undefined) => clientAddress({ remote, forwarded: '1.2.3.4', proxies: 0 })
const behind = (proxies: number, forwarded: string | undefined) => clientAddress({ remote: '10.0.0.1', forwarded, proxies })

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1', 'fe80:0:0:0::/64'],
  [undefined, 'unknown'],
  ['', 'unknown'],
])('counts whoever connects from %s as %s', (remote, expected) => {
  expect(direct(remote)).toBe(expected)
})

it('counts two addresses of one network as one, and of two networks as two', () => {
  expect(direct('2001:db8:1:2::1')).toBe(direct('2001:db8:1:2:ffff::9'))
  expect(direct('2001:db8:1:2::1')).not.toBe(direct('2001:db8:1:3::1'))
  expect(direct('192.0.2.1')).not.toBe(direct('192.0.2.2'))
})

describe('behind proxies', () => {
  it.each([
    [1, '192.0.2.1', '192.0.2.1'],
    [1, '6.6.6.6, 192.0.2.1', '192.0.2.1'],
    [2, '6.6.6.6, 192.0.2.1, 10.0.0.9', '192.0.2.1'],
    [1, '192.0.2.1:5555', '192.0.2.1'],
    [1, '[2001:db8::1]:443', '2001:db8:0:0::/64'],
    [2, '192.0.2.1', 'unknown'],
    [1, undefined, 'unknown'],
    [1, '<script>', 'unknown'],
    [1, `${'1'.repeat(10_000)}`, 'unknown'],
  ])('counts what the %i. from the end of %s says as %s', (proxies, forwarded, expected) => {
    expect(behind(proxies, forwarded)).toBe(expected)
  })
})
