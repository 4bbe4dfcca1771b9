import { describe, expect, it } from 'vitest'
import { realmTarget, redirectTarget, uploadTarget } from './origins.ts'

const secure = { origin: new URL('https://registry.example'), from: new URL('https://registry.example/v2/a/blobs/x?y=1') }
const local = { origin: new URL('http://127.0.0.1:5000'), from: new URL('http://127.0.0.1:5000/v2/a/blobs/x') }
const inside = { origin: new URL('http://registry.lan:5000'), from: new URL('http://registry.lan:5000/v2/a/blobs/x') }

describe('a redirect', () => {
  it.each([
    ['/v2/b', secure, 'https://registry.example/v2/b'],
    ['https://store.example/x?signature=a%2Bb', secure, 'https://store.example/x?signature=a%2Bb'],
    ['http://store.example/x', secure, null],
    ['http://registry.example/x', secure, null],
    ['//store.example/x', secure, 'https://store.example/x'],
    ['http://localhost:9000/x', local, 'http://localhost:9000/x'],
    ['https://store.example/x', local, 'https://store.example/x'],
    ['http://store.example/x', local, null],
    ['http://registry.lan:5000/x', inside, 'http://registry.lan:5000/x'],
    ['http://127.0.0.1/x', inside, null],
    ['https://user:password@store.example/x', secure, null],
    ['https://store.example/x#part', secure, null],
    ['file:///etc/passwd', secure, null],
    ['data:text/plain,x', secure, null],
    ['javascript:0', secure, null],
    ['ftp://store.example/x', secure, null],
    ['http://[', secure, null],
    [`https://store.example/${'x'.repeat(9000)}`, secure, null],
    [undefined, secure, null],
  ])('to %s leads to where something may be fetched, or nowhere', (location, whence, target) => {
    expect(redirectTarget(location, whence)?.href ?? null).toBe(target)
  })
})

describe('an upload', () => {
  it.each([
    ['/v2/a/blobs/uploads/1?_state=x%2By%3D', secure, 'https://registry.example/v2/a/blobs/uploads/1?_state=x%2By%3D'],
    ['uploads/1', secure, 'https://registry.example/v2/a/blobs/uploads/1'],
    ['http://registry.example/u', secure, 'https://registry.example/u'],
    ['http://registry.example:80/u', secure, 'https://registry.example/u'],
    ['http://other.example/u', secure, null],
    ['https://other.example/u', secure, 'https://other.example/u'],
    ['http://127.0.0.1:5000/u', local, 'http://127.0.0.1:5000/u'],
  ])('at %s goes on where the registry is, or with TLS elsewhere', (location, whence, target) => {
    expect(uploadTarget(location, whence)?.href ?? null).toBe(target)
  })
})

describe('a realm', () => {
  it.each([
    ['https://auth.example/token', secure, 'https://auth.example/token'],
    ['http://auth.example/token', secure, null],
    ['http://127.0.0.1/token', secure, null],
    ['http://registry.example/token', secure, null],
    ['http://127.0.0.1:5001/token', local, 'http://127.0.0.1:5001/token'],
    ['http://localhost:5001/token', local, 'http://localhost:5001/token'],
    ['http://169.254.169.254/latest', local, null],
    ['http://registry.lan:5000/token', inside, null],
    ['https://user:password@auth.example/token', secure, null],
    ['https://auth.example/token#x', secure, null],
    ['/token', secure, null],
    ['file:///etc/passwd', local, null],
    ['unix:///var/run/docker.sock', local, null],
    ['', secure, null],
    [undefined, secure, null],
  ])('%s is asked, or nobody is', (realm, { origin }, target) => {
    expect(realmTarget(realm, origin)?.href ?? null).toBe(target)
  })
})
