import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseVmmAddress } from './vmm-address.ts'

describe('the address of a VMM', () => {
  it.each([
    ['unix:/run/vmm.sock', '/run/vmm.sock'],
    ['unix:///run/vmm.sock', '/run/vmm.sock'],
    ['unix:./vmm.sock', path.resolve('vmm.sock')],
  ])('may be a socket: %s', (text, socketPath) => {
    expect(parseVmmAddress(text)).toEqual({ url: new URL('http://localhost/'), socketPath })
  })

  it.each([
    ['http://127.0.0.1:9080', 'http://127.0.0.1:9080/'],
    ['https://vmm.example/prefix', 'https://vmm.example/prefix/'],
  ])('may be a URL: %s', (text, href) => {
    expect(parseVmmAddress(text)).toEqual({ url: new URL(href) })
  })

  it.each(['', 'unix:', `unix:/${'a'.repeat(200)}`, 'vmm.sock', 'http://vmm.example', 'ftp://127.0.0.1', 'http://u:p@127.0.0.1'])(
    'is not %s',
    (text) => {
      expect(parseVmmAddress(text)).toBeUndefined()
    },
  )
})
