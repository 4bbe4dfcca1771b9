import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Failure } from '../../verifier/model/failure.ts'
import type { Operator } from '../app/service/operator.ts'
import type { RegisteredWorker, TokenView } from '../app/service/operator-documents.ts'
import { WorkerPublicKey } from '../app/service/worker-public-key.ts'
import { controlClient } from './control-client.ts'
import { controlServer } from './control-server.ts'

const ID = '0199f0a0-0000-7000-8000-000000000001'
const KEY = WorkerPublicKey.parse('MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=')
const AT = '2026-01-01T00:00:00.000Z'
const token: TokenView = {
  id: ID,
  name: 'ci',
  owner: { id: ID, name: 'acme' },
  scopes: ['submit'],
  createdAt: AT,
  expiresAt: AT,
  revokedAt: null,
  lastUsedAt: null,
}
const worker: RegisteredWorker = {
  id: ID,
  name: 'one',
  place: 'remote',
  publicKey: KEY,
  capabilities: null,
  addedAt: AT,
  revokedAt: null,
  lastSeenAt: null,
}

let home: string
let asked: unknown[]
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'bitwitness-control-'))
  asked = []
})
afterEach(() => rm(home, { recursive: true }))

const answering =
  <T>(answer: T) =>
  (said: unknown): Promise<T> => {
    asked.push(said)
    return Promise.resolve(answer)
  }
const operator: Operator = {
  createToken: answering({ secret: 'bw_x', token }),
  tokens: answering({ items: [token], next: 'more' }),
  revokeToken: answering(token),
  addWorker: answering(worker),
  workers: answering({ items: [worker], next: null }),
  revokeWorker: answering(worker),
}
const socket = (): string => path.join(home, 'control.sock')

/** As no client of ours would ask. */
async function sent(to: string, body: string, method = 'POST'): Promise<{ status: number; text: string }> {
  const outgoing = request({ socketPath: socket(), path: to, method, headers: { 'content-length': Buffer.byteLength(body) }, agent: false })
  outgoing.end(body)
  const [answer] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage]
  const text = Buffer.concat(await Array.fromAsync(answer as AsyncIterable<Buffer>)).toString()
  return { status: answer.statusCode ?? 0, text }
}

describe('the socket of a home', () => {
  it('carries every command to the server and its answer back', async () => {
    await using _ = await controlServer({ operator, home })
    const client = controlClient(home)
    const wanted = { name: 'ci', owner: 'acme', scopes: ['submit' as const], days: 90 }
    expect(await client.createToken(wanted)).toEqual({ secret: 'bw_x', token })
    expect(await client.tokens('cursor')).toEqual({ items: [token], next: 'more' })
    expect(await client.revokeToken(ID)).toEqual(token)
    expect(await client.addWorker({ name: 'one', publicKey: KEY })).toEqual(worker)
    expect(await client.workers(null)).toEqual({ items: [worker], next: null })
    expect(await client.revokeWorker('one')).toEqual(worker)
    expect(asked).toEqual([wanted, 'cursor', ID, { name: 'one', publicKey: KEY }, null, 'one'])
  })

  it('is its owner’s alone, and goes with the server', async () => {
    const server = await controlServer({ operator, home })
    expect([await readdir(home), (await stat(socket())).mode & 0o777, (await stat(socket())).isSocket()]).toEqual([
      ['control.sock'],
      0o600,
      true,
    ])
    await server[Symbol.asyncDispose]()
    expect(await readdir(home)).toEqual([])
    await expect(controlClient(home).workers(null)).rejects.toMatchObject({ code: 'control-absent', retryable: true })
  })

  it('of a server that was killed is replaced', async () => {
    const dead = createServer().listen(path.join(home, 'dead'))
    await once(dead, 'listening')
    const { rename } = await import('node:fs/promises')
    await rename(path.join(home, 'dead'), socket())
    dead.close()
    await expect(controlClient(home).workers(null)).rejects.toMatchObject({ code: 'control-absent' })
    await using _ = await controlServer({ operator, home })
    expect(await controlClient(home).workers(null)).toMatchObject({ next: null })
  })

  it('closes though somebody holds a connection', async () => {
    const server = await controlServer({ operator, home })
    const idle = connect(socket())
    await once(idle, 'connect')
    const closed = once(idle, 'close')
    await server[Symbol.asyncDispose]()
    await closed
    expect(await readdir(home)).toEqual([])
  })

  it('cannot be made where its path is too long, and nothing is left of it', async () => {
    const deep = path.join(home, 'x'.repeat(100))
    await mkdir(deep)
    await expect(controlServer({ operator, home: deep })).rejects.toMatchObject({ code: 'control-unavailable' })
    expect(await readdir(deep)).toEqual([])
    await expect(controlServer({ operator, home: path.join(home, 'absent') })).rejects.toMatchObject({ code: 'control-unavailable' })
  })

  it('is no file that lies in its place', async () => {
    await writeFile(socket(), '')
    await expect(controlClient(home).workers(null)).rejects.toMatchObject({ code: 'control-absent' })
  })
})

describe('the server', () => {
  it('passes failures on as they are, and nothing of a defect', async () => {
    const unknown = new Failure({ code: 'token-unknown', message: 'there is no such token', hint: 'look', retryable: true })
    const failing: Operator = {
      ...operator,
      revokeToken: () => Promise.reject(unknown),
      workers: () => Promise.reject(new Error('postgres://user:secret@host')),
    }
    await using _ = await controlServer({ operator: failing, home })
    const client = controlClient(home)
    await expect(client.revokeToken('x')).rejects.toMatchObject({
      name: 'Failure',
      code: 'token-unknown',
      message: unknown.message,
      hint: 'look',
      retryable: true,
    })
    await expect(client.workers(null)).rejects.toMatchObject({ code: 'internal', message: expect.not.stringContaining('secret') })
  })

  it.each([
    ['a token for longer than there is', '/v1/token-create', { name: 'ci', owner: 'acme', scopes: ['submit'], days: 9999 }],
    ['a token for nobody', '/v1/token-create', { name: 'ci', scopes: ['submit'], days: 1 }],
    ['a token for everything', '/v1/token-create', { name: 'ci', owner: 'acme', scopes: ['all'], days: 1 }],
    ['a worker without a key', '/v1/worker-add', { name: 'one', publicKey: 'key' }],
    ['a name that moves a terminal', '/v1/worker-add', { name: '\u001b[2J', publicKey: KEY }],
    ['more than was asked for', '/v1/token-list', { cursor: null, limit: 5 }],
    ['something else', '/v1/shell', { run: 'sh' }],
    ['nothing', '/', {}],
  ])('does nothing where it is asked for %s', async (_, to, body) => {
    await using server = await controlServer({ operator, home })
    const answer = await sent(to, JSON.stringify(body))
    expect([answer.status, JSON.parse(answer.text)]).toEqual([400, expect.objectContaining({ code: 'control-mismatch' })])
    expect([asked, server]).toEqual([[], server])
  })

  it('reads no more than a command says, and nothing that is not JSON or not sent to it', async () => {
    await using server = await controlServer({ operator, home })
    for (const body of ['', 'x', `{"cursor":null}${' '.repeat(70_000)}`])
      expect(JSON.parse((await sent('/v1/token-list', body)).text)).toMatchObject({ code: 'control-mismatch' })
    expect((await sent('/v1/token-list', '', 'GET')).status).toBe(400)
    expect([asked, server]).toEqual([[], server])
  })
})

describe('the client', () => {
  it.each([
    ['another document', 200, '{"items":[],"next":null,"more":1}'],
    ['no document', 200, 'hello'],
    ['a page', 404, '<html>'],
    ['too much', 200, `{"items":[],"next":null}${' '.repeat(9 << 20)}`],
  ])('takes %s for no answer', async (_, status, body) => {
    const { createServer: httpServer } = await import('node:http')
    const other = httpServer((__, response) => void response.writeHead(status).end(body)).listen(socket())
    await once(other, 'listening')
    await expect(controlClient(home).workers(null)).rejects.toMatchObject({ code: 'control-mismatch' })
    other.closeAllConnections()
    other.close()
    await once(other, 'close')
  })
})
