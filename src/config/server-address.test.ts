import { describe, expect, it } from 'vitest'
import { parseServerAddress } from './server-address.ts'
import { parseCoordinator } from './worker-settings.ts'

it.each([
  ['https://witness.example', 'https://witness.example/'],
  ['https://witness.example/under/here', 'https://witness.example/under/here/'],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/'],
  ['http://127.1.2.3/', 'http://127.1.2.3/'],
  ['http://[::1]:8080/', 'http://[::1]:8080/'],
  ['http://[fd00::1]/', 'http://[fd00::1]/'],
  ['http://10.1.2.3:8080/', 'http://10.1.2.3:8080/'],
  ['http://172.16.0.1/', 'http://172.16.0.1/'],
  ['http://192.168.1.1/', 'http://192.168.1.1/'],
  ['http://localhost:8080', 'http://localhost:8080/'],
  ['http://coordinator:8080', 'http://coordinator:8080/'],
])('takes %s', (text, href) => {
  expect(parseServerAddress(text)?.href).toBe(href)
})

it.each([
  // A token would go over the internet in plain text.
  'http://witness.example/',
  'http://1.2.3.4/',
  'http://172.32.0.1/',
  'http://11.0.0.1/',
  'http://[2001:db8::1]/',
  'http://10.1.2.3.example/',
  'http://localhost.example/',
  'https://user:password@witness.example/',
  'https://witness.example/?a=b',
  'https://witness.example/#a',
  'ftp://witness.example/',
  'witness.example',
  '',
  `https://witness.example/${'a'.repeat(3000)}`,
])('refuses %s', (text) => {
  expect(parseServerAddress(text)).toBeUndefined()
})

describe('the address of a coordinator', () => {
  it('is an origin, since what comes before a path would be missing where the signature is checked', () => {
    expect(parseCoordinator('https://witness.example')?.href).toBe('https://witness.example/')
    expect(parseCoordinator('http://coordinator:8080/')?.href).toBe('http://coordinator:8080/')
    for (const text of ['https://witness.example/below/', 'http://witness.example', 'https://user@witness.example', 'ftp://witness', ''])
      expect(parseCoordinator(text)).toBeUndefined()
  })
})
