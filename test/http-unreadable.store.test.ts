import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { answerUnreadable } from '../src/http/unreadable-request.ts'
import { Listening } from '../src/listening.ts'
import { HttpService } from './http-service.ts'

let service: HttpService
let listening: Listening

beforeAll(async () => {
  service = await HttpService.open()
  const app = service.app()
  listening = await Listening.open({
    fetch: (request, env) => app.fetch(request, env),
    unreadable: () => answerUnreadable(app),
    host: '127.0.0.1',
    port: 0,
    requestMs: 60_000,
    onError: (error) => service.troubles.push(error),
  })
})
afterEach(() => {
  const [trouble] = service.troubles.splice(0)
  if (trouble !== undefined) throw trouble
})
afterAll(async () => {
  await listening.close(0)
  await service[Symbol.asyncDispose]()
})

/** All that is answered to a head that was written by hand. */
async function answerTo(...head: readonly string[]): Promise<{ status: number; headers: string; body: string }> {
  const socket = connect(Number(listening.url.port), listening.url.hostname)
  socket.write([...head, '', ''].join('\r\n'), 'latin1')
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  const [headers = '', ...body] = Buffer.concat(chunks).toString().split('\r\n\r\n')
  return { status: Number(headers.split(' ')[1]), headers: headers.toLowerCase(), body: body.join('\r\n\r\n') }
}

const GET = 'GET /v1/verifications HTTP/1.1'

it.each([
  ['a Host with a space', GET, 'Host: a b'],
  ['a Host with a path', GET, 'Host: a/b'],
  ['a Host with a user', GET, 'Host: user:password@a'],
  ['a Host of no letters', GET, 'Host: b\u00fccher.example'],
  ['a port that there is not', GET, 'Host: a:99999'],
  ['two Hosts', GET, 'Host: a', 'Host: a'],
  ['a target of another protocol', 'GET ftp://a/ HTTP/1.1', 'Host: a'],
  ['a target that is no URL', 'GET http://a:b/ HTTP/1.1', 'Host: a'],
  ['a target of the server as a whole', 'OPTIONS * HTTP/1.1', 'Host: a'],
  ['a backslash in its path', 'GET /v1\\verifications HTTP/1.1', 'Host: a'],
  ['a body that never comes', 'POST /v1/uploads HTTP/1.1', 'Host: a b', 'Content-Length: 1000'],
])('a request with %s is answered as malformed, and closed', async (_, ...head) => {
  service.answers.splice(0)
  const { status, headers, body } = await answerTo(...head)
  expect([status, JSON.parse(body)]).toEqual([400, expect.objectContaining({ status: 400, code: 'request-malformed' })])
  expect(headers).toContain('content-type: application/problem+json')
  expect(headers).toContain('connection: close')
  expect(headers).toContain('x-content-type-options: nosniff')
  // It is counted as what it is, and no operator is woken.
  expect(service.answers).toMatchObject([{ route: '-', status: 400 }])
})

it.each([
  ['by its whole address', 'GET http://example.org/healthz HTTP/1.1', 'Host: example.org', 'Connection: close'],
  ['by an address of version 6', 'GET /healthz HTTP/1.1', 'Host: [::1]:8080', 'Connection: close'],
  ['with an empty Host', GET, 'Host:', 'Connection: close'],
  ['without a Host, which HTTP/1.0 does not have', 'GET /healthz HTTP/1.0'],
])('a request %s is answered like any other', async (_, ...head) => {
  expect((await answerTo(...head)).status).toBe(200)
})
