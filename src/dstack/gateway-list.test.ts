import { expect, it } from 'vitest'
import { listedGateway } from './gateway-list.ts'

const list = [
  { domain: 'dstack-*.phala.network', connect: null },
  { domain: 'apps.lan', connect: { host: '127.0.0.1', port: 9443 } },
]

it('finds the entry of a domain', () => {
  expect(listedGateway('dstack-pha-prod7.phala.network', list)).toBe(list[0])
  expect(listedGateway('apps.lan', list)).toBe(list[1])
})

it.each([
  'dstack-.phala.network',
  'evil.dstack-a.phala.network',
  'dstack-a.b.phala.network',
  'dstack-a.phala.network.evil.example',
  'xdstack-a.phala.network',
  'phala.network',
  'my.apps.lan',
  'apps.lan.evil.example',
  '',
])('finds none for %s', (domain) => {
  expect(listedGateway(domain, list)).toBeUndefined()
})
