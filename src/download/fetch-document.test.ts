import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Failure } from '../../verifier/model/failure.ts'
import { fetchDocument } from './fetch-document.ts'

const OPEN = { plainHttp: true, privateHosts: true }
let server: Server
let base: URL
let answer: (path: string, response: ServerResponse) => void
let asked: string[]

beforeEach(async () => {
  asked = []
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    answer(request.url ?? '', response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  base = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const fetched = (path: string | URL, access = OPEN): Promise<string> =>
  fetchDocument(new URL(path, base), access, AbortSignal.timeout(20_000)).then(
    (bytes) => Buffer.from(bytes).toString(),
    (error: unknown) => {
      if (error instanceof Failure) return error.code
      throw error
    },
  )

it('gives what the URL answers, over redirections', async () => {
  answer = (path, response) => {
    if (path === '/a') response.writeHead(302, { location: '/b' }).end()
    else response.end('{"a":1}')
  }
  expect([await fetched('/a'), asked]).toEqual(['{"a":1}', ['/a', '/b']])
})

it('asks no host that was not allowed, by name or by address, nor one that a redirection leads to', async () => {
  answer = (_, response) => response.writeHead(302, { location: 'ftp://127.0.0.1/' }).end()
  const { port } = base
  const closed = { plainHttp: true, privateHosts: false }
  const hosts = [
    `http://127.0.0.1:${port}/`,
    `http://localhost:${port}/`,
    `http://[::1]:${port}/`,
    'http://169.254.169.254/latest',
    'http://0x7f000001/',
  ]
  expect(await Promise.all(hosts.map((host) => fetched(host, closed)))).toEqual(hosts.map(() => 'document-host-private'))
  expect(asked).toEqual([])
  expect(await fetched('/')).toBe('document-url-refused')
})

it('speaks TLS unless plain http is allowed, and sends no name or password', async () => {
  answer = (_, response) => response.end('no')
  expect(await fetched('/', { plainHttp: false, privateHosts: true })).toBe('document-url-refused')
  expect(await fetched(new URL(base.href.replace('http://', 'http://user:secret@')))).toBe('document-url-refused')
  // A server that speaks no TLS.
  expect(await fetched(new URL(base.href.replace('http:', 'https:')), { plainHttp: false, privateHosts: true })).toBe(
    'document-unreachable',
  )
  expect(await fetched('file:///etc/passwd')).toBe('document-url-refused')
  expect(asked).toEqual([])
})

it('follows nobody round and round', async () => {
  answer = (path, response) => response.writeHead(307, { location: `${path}x` }).end()
  expect([await fetched('/'), asked]).toEqual(['document-redirected-too-often', ['/', '/x', '/xx', '/xxx']])
})

it('takes 200 and nothing else', async () => {
  answer = (path, response) => response.writeHead(Number(path.slice(1)), path === '/302' ? {} : { location: '/' }).end('{}')
  expect(await Promise.all(['/204', '/206', '/304', '/404', '/500', '/302'].map((path) => fetched(path)))).toEqual(
    Array(6).fill('document-refused'),
  )
})

it('reads no more than a document can have, and says when the server breaks off', async () => {
  answer = (path, response) => {
    if (path === '/short') response.writeHead(200, { 'content-length': '10' }).write('abc', () => response.destroy())
    else {
      const part = Buffer.alloc(1 << 20)
      const more = (): void => {
        while (response.write(part));
        response.once('drain', more)
      }
      more()
    }
  }
  expect([await fetched('/endless'), await fetched('/short')]).toEqual(['document-too-large', 'document-unreachable'])
})

it('ends when it is told to', async () => {
  answer = () => {}
  const stop = new AbortController()
  const waiting = fetchDocument(base, OPEN, stop.signal)
  await once(server, 'request')
  stop.abort(new Error('stop'))
  await expect(waiting).rejects.toThrowError('stop')
})
