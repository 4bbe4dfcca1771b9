import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ResolveAll } from '../../verifier/address/connect-only.ts'
import { isPublicAddress } from '../../verifier/address/public-address.ts'
import type { Failure } from '../../verifier/model/failure.ts'
import { run } from '../../verifier/source/testing/programs.ts'
import { type DownloadRules, downloadBytes, downloadFile } from './download.ts'
import { type FileServer, redirecting, sending, serveFiles } from './testing/file-server.ts'

/** A name server of the test's own: `outside.test` is where downloads may lead, `inside.test` is not. */
const resolve: ResolveAll = (name, _, callback) => {
  const addresses = { 'outside.test': ['127.0.0.1'], 'inside.test': ['127.0.0.2'], 'both.test': ['127.0.0.1', '127.0.0.2'] }[name] ?? []
  callback(
    null,
    addresses.map((address) => ({ address, family: 4 })),
  )
}

const RULES: DownloadRules = {
  plainHttp: true,
  mayConnect: (address) => address === '127.0.0.1',
  resolve,
  maxBytes: 1000,
  seconds: 20,
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-download-'))
})
afterEach(() => rm(folder, { recursive: true }))

const never = new AbortController().signal
const at = ({ port }: FileServer, rest = '/', host = 'outside.test'): string => `http://${host}:${port}${rest}`

async function fetched(url: string, rules: Partial<DownloadRules> = {}): Promise<string> {
  const size = await downloadFile(url, path.join(folder, 'file'), { ...RULES, ...rules }, never)
  const text = await readFile(path.join(folder, 'file'), 'latin1')
  expect([size, await readdir(folder)]).toEqual([text.length, ['file']])
  return text
}

/** The code of the failure; nothing may be left of what was begun. */
async function refusal(url: string, rules: Partial<DownloadRules> = {}): Promise<string> {
  const all = { ...RULES, ...rules }
  const codes: unknown[] = []
  for (const attempt of [() => downloadFile(url, path.join(folder, 'file'), all, never), () => downloadBytes(url, all, never)])
    codes.push(
      await attempt().then(
        () => 'taken',
        (error: Failure) => error.code,
      ),
    )
  expect(await readdir(folder)).toEqual([])
  expect(codes[0]).toBe(codes[1])
  return String(codes[0])
}

describe('what is fetched', () => {
  it('lies in the file, or in memory, as it was sent', async () => {
    await using server = await serveFiles(sending('the bytes'))
    expect(await fetched(at(server))).toBe('the bytes')
    expect(Buffer.from(await downloadBytes(at(server), RULES, never)).toString()).toBe('the bytes')
  })

  it('is asked for with nothing but the URL', async () => {
    await using server = await serveFiles(sending('x'))
    await fetched(at(server, '/a?b=c#d'))
    expect(server.requests).toEqual([
      {
        path: '/a?b=c',
        headers: {
          accept: '*/*',
          'accept-encoding': 'identity',
          'user-agent': 'bitwitness',
          connection: expect.stringMatching(/^(close|keep-alive)$/),
          host: `outside.test:${server.port}`,
        },
      },
    ])
  })

  it('may come in chunks, and without any byte', async () => {
    await using server = await serveFiles((_, response) => {
      response.writeHead(200)
      response.write('one ')
      response.end('two')
    })
    expect(await fetched(at(server))).toBe('one two')
    await using empty = await serveFiles(sending(''))
    expect(await fetched(at(empty))).toBe('')
  })
})

describe('a URL', () => {
  it.each([
    ['', 'download-url-malformed'],
    ['outside.test/x', 'download-url-malformed'],
    ['ftp://outside.test/x', 'download-url-malformed'],
    ['file:///etc/passwd', 'download-url-malformed'],
    ['https://user@outside.test/x', 'download-url-malformed'],
    ['https://:secret@outside.test/x', 'download-url-malformed'],
    [`https://outside.test/${'x'.repeat(4096)}`, 'download-url-malformed'],
    ['http://outside.test:1/x', 'download-plain-http'],
  ])('%s is not asked: %s', async (url, code) => {
    expect(await refusal(url, { plainHttp: false })).toBe(code)
  })
})

describe('a host', () => {
  it.each(['127.0.0.2', 'inside.test', 'both.test', 'unknown.test', '[::1]', '2130706434', '0x7f.2'])(
    'is not asked unless every address of it is allowed: %s',
    async (host) => {
      await using server = await serveFiles(sending('secret'), { address: '127.0.0.2' })
      expect(await refusal(at(server, '/', host))).toBe('download-host-private')
      await using outside = await serveFiles(redirecting(at(server, '/', host)))
      expect(await refusal(at(outside))).toBe('download-host-private')
      expect(server.requests).toEqual([])
    },
  )

  it.each(['127.0.0.1', 'localhost', 'outside.test'])(
    'inside our own network is none that only the public one may be asked for: %s',
    async (host) => {
      await using server = await serveFiles(sending('secret'))
      const { resolve: _, ...systems } = RULES
      const rules = { ...(host === 'localhost' ? systems : RULES), mayConnect: isPublicAddress }
      await expect(downloadBytes(at(server, '/', host), rules, never)).rejects.toMatchObject({ code: 'download-host-private' })
      expect(server.requests).toEqual([])
    },
  )
})

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('by %i is followed, from host to host and relative', async (status) => {
    await using file = await serveFiles(sending('here'))
    await using server = await serveFiles((request, response) =>
      redirecting(request.url === '/a' ? 'b?c' : at(file, '/file', '127.0.0.1'), status)(request, response),
    )
    expect(await fetched(at(server, '/a'))).toBe('here')
    expect([server.requests.map((one) => one.path), file.requests.map((one) => one.path)]).toEqual([['/a', '/b?c'], ['/file']])
  })

  it('is followed five times and not six', async () => {
    const hops = (left: number) =>
      serveFiles((request, response) => {
        const hop = Number(request.url?.slice(1))
        ;(hop < left ? redirecting(`/${hop + 1}`) : sending('here'))(request, response)
      })
    await using five = await hops(5)
    expect(await fetched(at(five, '/0'))).toBe('here')
    await rm(path.join(folder, 'file'))
    await using six = await hops(6)
    expect(await refusal(at(six, '/0'))).toBe('download-redirect-limit')
    expect(six.requests).toHaveLength(12)
  })

  it.each([
    'ftp://outside.test/x',
    'file:///etc/passwd',
    'http://user:secret@outside.test/x',
    'http://',
    `/${'x'.repeat(4096)}`,
    undefined,
  ])('to %s is not followed', async (location) => {
    await using server = await serveFiles((_, response) => void response.writeHead(302, location === undefined ? {} : { location }).end())
    expect(await refusal(at(server))).toBe('download-redirect-refused')
  })
})

describe('https', () => {
  let tls: { key: string; cert: string }
  const before = getCACertificates('default')
  beforeAll(async () => {
    const room = await mkdtemp(path.join(tmpdir(), 'bitwitness-tls-'))
    const made = ['-subj', '/CN=outside.test', '-addext', 'subjectAltName=DNS:outside.test', '-keyout', 'key', '-out', 'cert']
    run('openssl', ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-days', '1', ...made], { cwd: room })
    const [key, cert] = await Promise.all(['key', 'cert'].map((name) => readFile(path.join(room, name), 'latin1')))
    tls = { key: key ?? '', cert: cert ?? '' }
    await rm(room, { recursive: true })
  })
  beforeEach(() => setDefaultCACertificates([tls.cert]))
  afterAll(() => setDefaultCACertificates(before))
  const secure = (server: FileServer): string => at(server).replace('http', 'https')

  it('is fetched from, and may be what a redirect of http leads to', async () => {
    await using server = await serveFiles(sending('here'), { tls })
    expect(await fetched(secure(server), { plainHttp: false })).toBe('here')
    await rm(path.join(folder, 'file'))
    await using plain = await serveFiles(redirecting(secure(server)))
    expect(await fetched(at(plain))).toBe('here')
  })

  it('never leads to http, even where http is allowed', async () => {
    await using plain = await serveFiles(sending('secret'))
    await using server = await serveFiles(redirecting(at(plain)), { tls })
    expect(await refusal(secure(server))).toBe('download-redirect-refused')
    expect(await refusal(secure(server), { plainHttp: false })).toBe('download-redirect-refused')
    expect(plain.requests).toEqual([])
  })

  it('is not spoken with a server that cannot prove its name', async () => {
    setDefaultCACertificates([])
    await using server = await serveFiles(sending('secret'), { tls })
    expect(await refusal(secure(server))).toBe('download-failed')
    expect(server.requests).toEqual([])
  })
})

describe('a server', () => {
  it.each([
    [401, 'download-absent'],
    [404, 'download-absent'],
    [206, 'download-absent'],
    [304, 'download-absent'],
    [429, 'download-failed'],
    [500, 'download-failed'],
  ])('that answers %i has nothing to give: %s', async (status, code) => {
    await using server = await serveFiles((_, response) => void response.writeHead(status, 'hostile words').end())
    expect(await refusal(at(server))).toBe(code)
  })

  it('that is not there has nothing to give', async () => {
    const server = await serveFiles(sending(''))
    await server[Symbol.asyncDispose]()
    expect(await refusal(at(server))).toBe('download-failed')
  })

  it('that says it sends more than allowed is not listened to, and one that does is broken off', async () => {
    await using stated = await serveFiles((_, response) => void response.writeHead(200, { 'content-length': 1001 }).write('x'))
    expect(await refusal(at(stated))).toBe('download-size-limit')
    await using endless = await serveFiles((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(100)));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    })
    expect(await refusal(at(endless))).toBe('download-size-limit')
    await using full = await serveFiles(sending('x'.repeat(1000)))
    expect(await fetched(at(full))).toHaveLength(1000)
  })

  it('that breaks off, or does not say where the body ends, has sent nothing', async () => {
    await using short = await serveFiles((_, response) => {
      response.writeHead(200, { 'content-length': 10 })
      response.write('half', () => response.destroy())
    })
    expect(await refusal(at(short))).toBe('download-failed')
    await using open = await serveFiles((_, response) => {
      response.shouldKeepAlive = false
      response.useChunkedEncodingByDefault = false
      response.end('whole?')
    })
    expect(await refusal(at(open))).toBe('download-failed')
  })

  it('that falls silent, before its answer or in the midst of it, is left', async () => {
    await using mute = await serveFiles(() => {})
    expect(await refusal(at(mute), { stallMs: 50 })).toBe('download-time-limit')
    await using stuck = await serveFiles((_, response) => void response.writeHead(200, { 'content-length': 10 }).write('half'))
    expect(await refusal(at(stuck), { stallMs: 50 })).toBe('download-time-limit')
  })

  it('that keeps on sending little is left when the time is over', async () => {
    await using slow = await serveFiles((_, response) => {
      const timer = setInterval(() => response.write('x'), 5)
      response.on('close', () => clearInterval(timer))
    })
    expect(await refusal(at(slow), { seconds: 0.1, maxBytes: 1_000_000 })).toBe('download-time-limit')
  })
})

it('ends with the reason of the caller who gives up', async () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  await using server = await serveFiles((_, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('half')
    controller.abort(reason)
  })
  await expect(downloadFile(at(server), path.join(folder, 'file'), RULES, controller.signal)).rejects.toBe(reason)
  expect(await readdir(folder)).toEqual([])
  await expect(downloadBytes(at(server), RULES, controller.signal)).rejects.toBe(reason)
  expect(server.requests).toHaveLength(1)
})

it('fails as the disk does, which is not the fault of who serves the bytes', async () => {
  await using server = await serveFiles(sending('x'))
  await expect(downloadFile(at(server), path.join(folder, 'absent', 'file'), RULES, never)).rejects.toMatchObject({ code: 'ENOENT' })
})
