import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { ExchangeFailed } from './exchange-failed.ts'
import { type Exchange, HttpClient } from './http-client.ts'
import { drop, readBody } from './read-body.ts'
import { never } from './testing/open.ts'

const open: Server[] = []
afterEach(async () => {
  for (const server of open.splice(0)) {
    server.close()
    await once(server, 'close')
  }
})

async function listening(server: Server): Promise<string> {
  open.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function http(listener: RequestListener): Promise<string> {
  return await listening(createServer(listener))
}

async function ask(url: string, change: Partial<Exchange> = {}): Promise<{ status: number; body: string; fromPublic: boolean }> {
  using client = new HttpClient({ authorities: null, version: '1.2.3' })
  const answer = await client.exchange({ method: 'GET', url: new URL(url), headers: {}, reach: 'any', signal: never, ...change })
  return { status: answer.status, fromPublic: answer.fromPublic, body: (await readBody(answer, 1 << 20)).toString() }
}

/** What went wrong, in our words. */
async function trouble(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    (value) => new Error(inspect(value)),
    (thrown: unknown) => thrown,
  )
  return error instanceof ExchangeFailed ? error.trouble : inspect(error)
}

describe('an exchange', () => {
  it('says who asks, and whether a public address answered', async () => {
    const host = await http((request, response) => response.end(request.headers['user-agent']))
    expect(await ask(`http://${host}/`)).toEqual({ status: 200, body: 'bitwitness/1.2.3', fromPublic: false })
  })

  it('follows no redirect and unpacks nothing', async () => {
    const host = await http((_, response) => response.writeHead(302, { location: '/x', 'content-encoding': 'gzip' }).end('plain'))
    expect(await ask(`http://${host}/`)).toMatchObject({ status: 302, body: 'plain' })
  })

  it('reaches no address of this network where only public ones may be', async () => {
    let asked = 0
    const host = await http((_, response) => {
      asked += 1
      response.end()
    })
    const { port } = new URL(`http://${host}`)
    for (const url of [`http://${host}/`, `http://localhost:${port}/`, 'http://[::1]/', 'http://169.254.169.254/', 'https://10.0.0.1/'])
      expect(await trouble(ask(url, { reach: 'public' }))).toBe('address-refused')
    expect(asked).toBe(0)
  })

  it.each([['before an answer'], ['in the midst of one']])('waits no longer than it is told %s', async (when) => {
    const host = await http((_, response) => {
      if (when !== 'before an answer') response.writeHead(200, { 'content-length': 10 }).write('half')
    })
    expect(await trouble(ask(`http://${host}/`, { stallMs: 100 }))).toBe('stalled')
  })

  it.each([
    ['interim answers', 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'],
    ['a header a letter at a time', 'x'],
  ])('does not wait for an answer that never comes because of %s', async (_, again) => {
    const host = await listening(
      createTcpServer((socket: Socket) => {
        socket.on('error', () => {})
        socket.resume().write(again === 'x' ? 'HTTP/1.1 200 OK\r\nX: ' : '')
        const dripping = setInterval(() => socket.write(again), 20)
        socket.on('close', () => clearInterval(dripping))
      }),
    )
    expect(await trouble(ask(`http://${host}/`, { stallMs: 200 }))).toBe('stalled')
  })

  it('lets go of a body that does not end', async () => {
    const host = await http((_, response) => void response.writeHead(404, { 'content-length': 10 }).write('half'))
    using client = new HttpClient({ authorities: null, version: '1.2.3' })
    const answer = await client.exchange({ method: 'GET', url: new URL(`http://${host}/`), headers: {}, reach: 'any', signal: never })
    await drop(answer, 20)
    expect(answer.body.destroyed).toBe(true)
  })

  it('tells what does not speak TLS, and what speaks no HTTP', async () => {
    const plain = await http((_, response) => response.end())
    expect(await trouble(ask(`https://${plain}/`))).toBe('not-tls')
    const saying = (text: string): Promise<string> =>
      listening(
        createTcpServer((socket: Socket) => {
          socket.on('error', () => {})
          socket.resume().end(text)
        }),
      )
    expect(await trouble(ask(`https://${await saying('SSH-2.0-OpenSSH_9\r\n')}/`))).toBe('not-tls')
    expect(await trouble(ask(`https://${await saying('')}/`))).toBe('not-tls')
    expect(await trouble(ask(`http://${await saying('SSH-2.0-OpenSSH_9\r\n')}/`))).toBe('not-http')
    expect(await trouble(ask(`http://${await saying(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`)}/`))).toBe('not-http')
    expect(await trouble(ask('http://nobody.invalid/'))).toBe('unresolved')
    expect(await trouble(ask('http://127.0.0.1:9/'))).toBe('lost')
  })

  it('stops sending where the answer came early', async () => {
    const host = await http((request, response) => {
      request.once('data', () => response.writeHead(403, { connection: 'close' }).end('no'))
    })
    let sent = 0
    const body = {
      size: null,
      async *open() {
        for (; sent < 1024; sent += 1) yield Buffer.alloc(1 << 20)
      },
    }
    expect(await ask(`http://${host}/`, { method: 'PATCH', body })).toMatchObject({ status: 403, body: 'no' })
    expect(sent).toBeLessThan(256)
  })

  it('fails as what it sends fails', async () => {
    const host = await http((request, response) => request.resume().on('end', () => response.end()))
    const body = {
      size: 10,
      async *open() {
        yield Buffer.from('x')
        throw new ExchangeFailed('stalled')
      },
    }
    expect(await trouble(ask(`http://${host}/`, { method: 'PUT', body }))).toBe('stalled')
  })

  it('ends at an interruption, before it begins and in its midst', async () => {
    const host = await http(() => {})
    await expect(ask(`http://${host}/`, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    const stop = new AbortController()
    const asked = ask(`http://${host}/`, { signal: stop.signal })
    setTimeout(() => stop.abort(), 50)
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' })
  })
})
