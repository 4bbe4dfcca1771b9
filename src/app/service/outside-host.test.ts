import { expect, it } from 'vitest'
import { mayBePublic } from './outside-host.ts'

const hostOf = (text: string): string => URL.parse(text)?.hostname ?? ''

it.each([
  '127.0.0.1',
  '127.1',
  '0x7f.1',
  '0x7f000001',
  '2130706433',
  '017700000001',
  '0',
  '127.0.0.1.',
  '169.254.169.254',
  '10.0.0.1',
  '100.64.0.1',
  '192.168.1.1',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:8.8.8.8]',
  '[fe80::1]',
  '[fd00::1]',
  '[64:ff9b::7f00:1]',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'metadata.localhost',
  '１２７.１',
])('knows %s as no public host, however it is written', (host) => {
  expect(mayBePublic(hostOf(`https://${host}/hook`))).toBe(false)
})

it.each(['example.org', 'localhost.example.org', '8.8.8.8', '[2606:4700::1111]', 'xn--bcher-kva.example'])(
  'lets %s be looked at',
  (host) => {
    expect(mayBePublic(hostOf(`https://${host}/hook`))).toBe(true)
  },
)
