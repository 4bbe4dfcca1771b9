import { expect, it } from 'vitest'
import { GATEWAY_SETTINGS } from './gateway-settings.ts'

const { read } = GATEWAY_SETTINGS.gateways

it('lists gateways, and where to connect for them', () => {
  expect(read('dstack-*.phala.network  apps.lan=127.0.0.1:9443 apps.example=[fd00::1]:443 apps.example=gateway.lan:1')).toEqual([
    { domain: 'dstack-*.phala.network', connect: null },
    { domain: 'apps.lan', connect: { host: '127.0.0.1', port: 9443 } },
    { domain: 'apps.example', connect: { host: 'fd00::1', port: 443 } },
    { domain: 'apps.example', connect: { host: 'gateway.lan', port: 1 } },
  ])
})

it.each([
  '*',
  'lan',
  '*.*',
  'a.*',
  '**.example.com',
  'a..b',
  '-a.example',
  'Apps.Example',
  '127.0.0.1',
  'apps.example/',
  'https://apps.example',
  'apps.example:443',
  'apps.example=',
  'apps.example=127.0.0.1',
  'apps.example=127.0.0.1:0',
  'apps.example=127.0.0.1:65536',
  'apps.example=::1:443',
  'apps.example=a:1=b:2',
  Array.from({ length: 101 }, () => 'apps.example').join(' '),
])('lists no gateway by %s', (text) => {
  expect(read(text)).toBeUndefined()
})
