import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import type { Failure } from '../../model/failure.ts'
import type { PinDeps } from '../pin-source.ts'
import { serveGit } from '../testing/git-server.ts'
import { pinServed, SERVED_ACCESS, served, serveOneFile } from '../testing/pin-served.ts'
import { run } from '../testing/programs.ts'
import { isEmpty } from '../testing/temporary.ts'

// They start programs, and share the machine with builds.
vi.setConfig({ testTimeout: 120_000 })

serveOneFile()

async function refusal(url: string, deps: Partial<PinDeps> = {}): Promise<Failure> {
  const error: unknown = await pinServed(url, deps).then(
    () => new Error('taken'),
    (reason: unknown) => reason,
  )
  expect(await isEmpty(served.scratch)).toBe(true)
  return error as Failure
}

/** Answers every request in one way. */
function answering(
  status: number,
  headers: Record<string, string> = {},
  body = '',
): (_: IncomingMessage, response: ServerResponse) => boolean {
  return (_, response) => {
    response.writeHead(status, headers).end(body)
    return true
  }
}

describe('the host', () => {
  const strict = { ...SERVED_ACCESS, privateHosts: false }

  it.each([['127.0.0.1'], ['10.0.0.1'], ['::1'], ['169.254.169.254'], ['::ffff:127.0.0.1']])('is not asked at %s', async (address) => {
    await using server = await serveGit({ root: served.root })
    const { code } = await refusal(`${server.url}a.git`, { access: strict, resolve: async () => ['93.184.216.34', address] })
    expect(code).toBe('source-host-private')
    expect(server.requests).toEqual([])
  })

  it.each(['http://127.0.0.1:1/a.git', 'http://[::1]:1/a.git', 'http://[::ffff:7f00:1]:1/a.git'])(
    'is not asked by address either: %s',
    async (url) => {
      expect((await refusal(url, { access: strict })).code).toBe('source-host-private')
    },
  )

  it('is asked at the addresses that were looked at, whatever a name server says later', async () => {
    await using server = await serveGit({ root: served.root })
    // forge.test has no address at all: git reaches the server only because it was told where.
    await using tree = await pinServed(`${server.url}a.git`)
    expect(tree.pinned).toMatchObject({ url: `${server.url}a.git`, ref: 'refs/heads/main' })
  })

  it('has to have an address', async () => {
    expect((await refusal('http://forge.test/a.git', { resolve: async () => [] })).code).toBe('source-host-unknown')
    expect((await refusal('http://forge.test/a.git', { resolve: async () => ['forge.test'] })).code).toBe('source-host-unknown')
  })
})

describe('what the server answers', () => {
  it.each([
    [301, 'source-redirected'],
    [302, 'source-redirected'],
    [307, 'source-redirected'],
    [401, 'source-repository-missing'],
    [403, 'source-repository-missing'],
    [404, 'source-repository-missing'],
    [410, 'source-repository-missing'],
    [429, 'source-unreachable'],
    [500, 'source-unreachable'],
  ])('%i is %s, and nothing that it says is repeated or followed', async (status, code) => {
    await using inside = await serveGit({ root: served.root })
    const headers = { location: `${inside.url}a.git/info/refs?service=git-upload-pack`, 'www-authenticate': 'Basic realm="hostile-words"' }
    await using server = await serveGit({ root: served.root, intercept: answering(status, headers, 'hostile-words') })
    const failure = await refusal(`${server.url}a.git`)
    expect(failure.code).toBe(code)
    expect(JSON.stringify([failure.message, failure.hint, failure.data])).not.toContain('hostile-words')
    expect(inside.requests).toEqual([])
  })

  it('is not taken from plain files, whose list of alternates could lead anywhere', async () => {
    const intercept = (request: IncomingMessage, response: ServerResponse): boolean => {
      const { pathname } = new URL(request.url ?? '/', 'http://forge.test')
      if (pathname.endsWith('/info/refs')) response.end(`${'1'.repeat(40)}\trefs/heads/main\n`)
      else if (pathname.endsWith('/HEAD')) response.end('ref: refs/heads/main\n')
      else response.writeHead(404).end()
      return true
    }
    await using server = await serveGit({ root: served.root, intercept })
    expect((await refusal(`${server.url}a.git#main`)).code).toBe('source-server-too-old')
    expect(new Set(server.requests)).toEqual(new Set(['GET /a.git/info/refs?service=git-upload-pack', 'GET /a.git/HEAD']))
  })

  it('may be no git at all', async () => {
    await using server = await serveGit({ root: served.root, intercept: answering(200, { 'content-type': 'text/html' }, '<html>') })
    expect((await refusal(`${server.url}a.git`)).code).toMatch(/^source-/)
  })

  it.each([
    ['breaks off', 'source-unreachable', (pack: Buffer) => pack.subarray(0, 40)],
    ['was changed on its way', 'source-objects-malformed', (pack: Buffer) => flipped(pack)],
  ])('%s: %s', async (_, code, change) => {
    await using honest = await serveGit({ root: served.root })
    let posts = 0
    const intercept = (request: IncomingMessage, response: ServerResponse): boolean => {
      // The first is the list of refs, the second the pack.
      if (request.method !== 'POST' || (posts += 1) < 2) return false
      relay(honest.url, request, response, change).catch(() => response.destroy())
      return true
    }
    await using server = await serveGit({ root: served.root, intercept })
    expect((await refusal(`${server.url}a.git#main`)).code).toBe(code)
    expect(posts).toBe(2)
  })

  it('is not listened to without a certificate for its name', async () => {
    run(
      'openssl',
      ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-days', '1', '-subj', '/CN=forge.test', '-keyout', 'key', '-out', 'certificate'],
      { cwd: served.scratch },
    )
    const [key, cert] = await Promise.all(['key', 'certificate'].map(async (name) => readFile(path.join(served.scratch, name))))
    for (const name of ['key', 'certificate']) await rm(path.join(served.scratch, name))
    let asked = false
    const server = createServer({ key, cert }, (_, response) => {
      asked = true
      response.end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    expect((await refusal(`https://forge.test:${port}/a.git`)).code).toBe('source-tls')
    expect(asked).toBe(false)
    server.close()
  })

  it('may be nobody', async () => {
    expect((await refusal('http://forge.test:1/a.git')).code).toBe('source-unreachable')
  })
})

describe('git itself', () => {
  it('is asked for where there is none', async () => {
    expect((await refusal('http://forge.test/a.git', { git: '/nonexistent/git' })).code).toBe('git-missing')
    expect((await refusal('http://forge.test/a.git', { git: 'false' })).code).toBe('git-missing')
  })

  it('must be new enough to be held to an address', async () => {
    expect((await refusal('http://forge.test/a.git', { git: 'true' })).code).toBe('git-too-old')
  })
})

/** Asks the honest server the same, and passes its answer on changed. */
async function relay(honest: string, request: IncomingMessage, response: ServerResponse, change: (body: Buffer) => Buffer): Promise<void> {
  const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>))
  const { host: _host, ...headers } = request.headers
  const url = new URL(request.url ?? '', honest.replace('forge.test', '127.0.0.1'))
  const answer = await fetch(url, { method: 'POST', headers: headers as Record<string, string>, body })
  const changed = change(Buffer.from(await answer.arrayBuffer()))
  response.writeHead(answer.status, { 'content-type': 'application/x-git-upload-pack-result' }).end(changed)
}

/** One byte in the midst of the pack: behind its header, before its checksum. */
function flipped(answer: Buffer): Buffer {
  const at = answer.indexOf('PACK') + 30
  return Buffer.concat([answer.subarray(0, at), Buffer.of((answer[at] ?? 0) ^ 0xff), answer.subarray(at + 1)])
}
