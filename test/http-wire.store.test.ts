import { readdir, writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { UploadAnswer } from '../src/app/service/api-documents.ts'
import type { Caller } from '../src/app/service/caller.ts'
import { cancelVerification } from '../src/app/service/end-verification.ts'
import type { Worker } from '../src/app/store/records.ts'
import { answerUnreadable } from '../src/http/unreadable-request.ts'
import { Listening } from '../src/listening.ts'
import { HttpService, type ServiceOptions } from './http-service.ts'
import { digestOf } from './stored.ts'

let service: HttpService
let alice: Caller
let worker: Worker
const open: Listening[] = []

beforeAll(async () => {
  service = await HttpService.open({ followers: { beatMs: 1000, most: 1200 } })
  alice = await service.caller('alice')
  worker = await service.worker('one')
})
afterEach(async () => {
  for (const one of open.splice(0)) await one.close(0)
  const [trouble] = service.troubles.splice(0)
  if (trouble !== undefined) throw trouble
})
afterAll(async () => {
  await service[Symbol.asyncDispose]()
})

/** On a real server, whose adapter never has to answer itself. */
async function listen(options: ServiceOptions = {}): Promise<URL> {
  const app = service.app(options)
  const one = await Listening.open({
    fetch: (request, env) => app.fetch(request, env),
    unreadable: () => answerUnreadable(app),
    host: '127.0.0.1',
    port: 0,
    requestMs: 60_000,
    onError: (error) => service.troubles.push(error),
  })
  open.push(one)
  return one.url
}

const log = (verificationId: string, attempt: number, ...lines: string[]) =>
  service.store.unitOfWork.run(({ events }) =>
    events.append(
      verificationId,
      lines.map((line) => ({ kind: 'log', attempt, at: service.clock.now().toISOString(), line }) as const),
    ),
  )

/** What is in the folder of blobs, and what is being written to it. */
const stored = async (): Promise<{ whole: string[]; partial: string[] }> => ({
  whole: (await readdir(path.join(service.blobFolder, 'sha256'), { recursive: true }))
    .filter((name) => name.length > 60)
    .map((name) => path.basename(name)),
  partial: await readdir(path.join(service.blobFolder, 'tmp')),
})

/** A request whose body is written by hand. */
class Handwritten {
  readonly socket: Socket
  readonly #text: Promise<string>

  constructor(url: URL, head: readonly string[]) {
    this.socket = connect(Number(url.port), url.hostname)
    this.socket.write([...head, 'Host: localhost', '', ''].join('\r\n'))
    this.#text = new Promise((resolve) => {
      const chunks: Buffer[] = []
      this.socket.on('data', (chunk) => chunks.push(chunk))
      this.socket.on('error', () => {})
      this.socket.on('close', () => resolve(Buffer.concat(chunks).toString()))
    })
  }

  /** Everything that was answered, once the connection is closed. */
  answer(): Promise<string> {
    return this.#text
  }
}

const uploadHead = (...more: string[]): string[] => [
  'POST /v1/uploads HTTP/1.1',
  'Authorization: Bearer alice',
  'Content-Type: application/octet-stream',
  ...more,
]

describe('an upload', () => {
  const upload = (url: URL, body: string | Uint8Array<ArrayBuffer> | ReadableStream, o: { token?: string } = {}) =>
    fetch(new URL('/v1/uploads', url), {
      method: 'POST',
      headers: { authorization: `Bearer ${o.token ?? 'alice'}`, 'content-type': 'application/octet-stream' },
      body,
      duplex: 'half',
    } as RequestInit)
  const chunks = (count: number, size: number): ReadableStream => {
    let left = count
    return new ReadableStream({ pull: (controller) => (left-- > 0 ? controller.enqueue(Buffer.alloc(size, left)) : controller.close()) })
  }

  it('is kept as it is, and known by its digest for a while', async () => {
    const url = await listen()
    const answer = await upload(url, 'an archive')
    expect([answer.status, await answer.json()]).toEqual([
      201,
      { sha256: digestOf('an archive'), size: 10, expiresAt: new Date(service.clock.now().getTime() + 24 * 3_600_000).toISOString() },
    ])
    expect(await service.store.reads.uploads.received(alice.owner.id, new Date(0))).toMatchObject({ bytes: 10, count: 1 })
    expect(await service.store.reads.uploads.held(alice.owner.id)).toMatchObject({ bytes: 10 })
  })

  it('larger than it may be is refused when it says so, and where it only turns out so, and leaves nothing', async () => {
    const url = await listen({ uploads: { bytes: 100_000 } })
    const before = await stored()
    const declared = await upload(url, Buffer.alloc(100_001))
    const streamed = await upload(url, chunks(20, 10_000)).then(
      async (answer) => [answer.status, ((await answer.json()) as { code: string }).code],
      // The server has answered and closed by then, while the client still sent.
      () => [413, 'upload-too-large'],
    )
    expect([declared.status, ((await declared.json()) as { code: string }).code]).toEqual([413, 'upload-too-large'])
    expect(streamed).toEqual([413, 'upload-too-large'])
    expect(await stored()).toEqual(before)
    expect((await upload(url, Buffer.alloc(100_000))).status).toBe(201)
  })

  it('that breaks off leaves nothing', async () => {
    const url = await listen()
    const before = await stored()
    const broken = new Handwritten(url, uploadHead('Content-Length: 1000000'))
    broken.socket.write(Buffer.alloc(500_000, 1))
    while ((await stored()).partial.length === 0) await new Promise((resolve) => setImmediate(resolve))
    broken.socket.destroy()
    while ((await stored()).partial.length > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(await stored()).toEqual(before)
  })

  it.each([
    ['a byte now and then', 'Content-Length: 100000', 'x'],
    ['chunks now and then', 'Transfer-Encoding: chunked', '1\r\nx\r\n'],
    ['nothing', 'Content-Length: 10', ''],
  ])('that sends %s is given up, and leaves nothing', async (_, head, drip) => {
    const url = await listen({ limits: { bytesPerSecond: 10_000, patienceMs: 100 } })
    const before = await stored()
    const slow = new Handwritten(url, uploadHead(head))
    const dripping = setInterval(() => slow.socket.writable && drip !== '' && slow.socket.write(drip), 10)
    const answer = await slow.answer()
    clearInterval(dripping)
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    expect(answer).toContain('"code":"body-too-slow"')
    expect(answer).toMatch(/connection: close/i)
    expect(await stored()).toEqual(before)
  })

  it('may take its time where it keeps coming', async () => {
    const url = await listen({ limits: { bytesPerSecond: 1, patienceMs: 10_000 } })
    const slow = new Handwritten(url, uploadHead('Content-Length: 3', 'Connection: close'))
    for (const byte of 'abc') slow.socket.write(byte)
    expect(await slow.answer()).toMatch(/^HTTP\/1\.1 201 /)
  })

  it('may be one of as many as its owner has a day, counted while they are under way', async () => {
    await service.caller('bob')
    const url = await listen({ uploads: { countPerDay: 30, atOnce: 8 } })
    const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => upload(url, `tiny ${index}`, { token: 'bob' })))
    const statuses = answers.map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([201, 429]))
    const refused = answers.find(({ status }) => status === 429)
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0)
    for (let index = 0; ; index += 1) {
      const answer = await upload(url, `one by one ${index}`, { token: 'bob' })
      if (answer.status === 201) continue
      expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toMatchObject([
        429,
        '86400',
        { code: 'uploads-limit' },
      ])
      break
    }
    const bob = service.callers.get('Bearer bob')
    expect((await service.store.reads.uploads.received(bob?.owner.id ?? '', new Date(0))).count).toBe(30)
    service.clock.pass(24 * 3_600_000 + 1)
    expect((await upload(url, 'the next day', { token: 'bob' })).status).toBe(201)
    expect((await upload(url, 'somebody else', { token: 'alice' })).status).toBe(201)
  })

  it('may have as many bytes as its owner has left', async () => {
    await service.caller('carol')
    const url = await listen({ uploads: { bytes: 1000, bytesPerDay: 1500 } })
    const sent = async (size: number) => (await upload(url, Buffer.alloc(size, size % 256), { token: 'carol' })).status
    expect([await sent(1000), await sent(501), await sent(500), await sent(1)]).toEqual([201, 429, 201, 429])
  })

  it('counts each time it comes, were it the same bytes again, and where it broke off', async () => {
    const { owner } = await service.caller('dora')
    const url = await listen({ uploads: { bytes: 1000, bytesPerDay: 3000 } })
    const sent = async (size: number) => (await upload(url, Buffer.alloc(size, 7), { token: 'dora' })).status
    expect([await sent(1000), await sent(1000)]).toEqual([201, 201])
    expect(await service.store.reads.uploads.held(owner.id)).toMatchObject({ bytes: 1000 })
    const broken = new Handwritten(url, uploadHead('Content-Length: 900').with(1, 'Authorization: Bearer dora'))
    broken.socket.write(Buffer.alloc(800, 1))
    while ((await stored()).partial.length === 0) await new Promise((resolve) => setImmediate(resolve))
    broken.socket.end()
    await broken.answer()
    const received = () => service.store.reads.uploads.received(owner.id, new Date(0))
    while ((await received()).count < 3) await new Promise((resolve) => setImmediate(resolve))
    expect(await received()).toMatchObject({ bytes: 2800, count: 3 })
    const refused = await upload(url, Buffer.alloc(201, 7), { token: 'dora' })
    expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toMatchObject([
      429,
      '86400',
      { code: 'uploads-limit' },
    ])
    expect(await sent(200)).toBe(201)
    service.clock.pass(24 * 3_600_000 + 1)
    expect(await sent(1000)).toBe(201)
  })

  it('may lie here with no more than its owner may have lying here at a time', async () => {
    const { owner } = await service.caller('emil')
    const url = await listen({ uploads: { bytes: 1000, bytesHeld: 1500, hours: 2 } })
    const sent = (size: number, fill = size % 256) => upload(url, Buffer.alloc(size, fill), { token: 'emil' })
    const first = await sent(1000)
    service.clock.pass(3_600_000)
    const refused = await sent(501)
    expect([first.status, refused.status, refused.headers.get('retry-after'), await refused.json()]).toMatchObject([
      201,
      429,
      '3600',
      { code: 'uploads-held-limit' },
    ])
    expect([(await sent(500)).status, (await sent(1)).status]).toEqual([201, 429])
    // What is swept makes room, unless a verification that is open needs it.
    const { sha256 } = UploadAnswer.parse(await first.json())
    const id = await service.prepared(owner.id, { source: { kind: 'archive', name: 'a', path: '.' }, upload: sha256 })
    await service.store.unitOfWork.run(({ uploads }) => uploads.sweep(service.clock.pass(1), 100))
    expect([(await sent(1)).status, (await sent(501)).status]).toEqual([201, 429])
    await cancelVerification(service.ports, id)
    expect((await sent(501)).status).toBe(201)
  })

  it('ten thousand times is turned away before anything is kept', async () => {
    await service.caller('flood')
    const url = await listen({ uploads: { countPerDay: 20 }, limits: { writesOfOwner: { burst: 50, perMinute: 60 } } })
    const before = await stored()
    const statuses = new Map<number, number>()
    for (let round = 0; round < 100; round += 1)
      await Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          const { status, headers, body } = await upload(url, `${round} ${index}`, { token: 'flood' })
          await body?.cancel()
          if (status === 429) expect(headers.get('retry-after')).toMatch(/^\d+$/)
          statuses.set(status, (statuses.get(status) ?? 0) + 1)
        }),
      )
    expect(new Set(statuses.keys())).toEqual(new Set([201, 429]))
    expect(statuses.get(201)).toBeLessThanOrEqual(20)
    expect((await stored()).whole.length - before.whole.length).toBe(statuses.get(201))
    expect((await stored()).partial).toEqual([])
  })

  it('is bytes, and somebody’s', async () => {
    const url = await listen()
    const send = (headers: Record<string, string>) => fetch(new URL('/v1/uploads', url), { method: 'POST', headers, body: 'x' })
    const form = await send({ authorization: 'Bearer alice', 'content-type': 'multipart/form-data; boundary=x' })
    expect([form.status, await form.json()]).toMatchObject([415, { code: 'content-type-refused' }])
    const nobody = await send({ 'content-type': 'application/octet-stream' })
    expect([nobody.status, nobody.headers.get('connection')]).toEqual([401, 'close'])
  })
})

describe('a read', () => {
  it.each(['GET', 'HEAD', 'OPTIONS'])('by %s whose sender goes on sending is answered, and not listened to', async (method) => {
    const url = await listen()
    for (const head of ['Content-Length: 1000000000', 'Transfer-Encoding: chunked']) {
      const endless = new Handwritten(url, [`${method} /healthz HTTP/1.1`, head])
      expect(await endless.answer()).toMatch(/^HTTP\/1\.1 20[04] [^]*connection: close/i)
    }
    const kept = new Handwritten(url, [`${method} /healthz HTTP/1.1`, 'Content-Length: 0'])
    kept.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    expect((await kept.answer()).match(/HTTP\/1\.1 20/g)?.length).toBe(2)
  })
})

describe('a document', () => {
  it('that comes too slowly is given up', async () => {
    const url = await listen({ limits: { jsonMs: 100, bytesPerSecond: 1, patienceMs: 60_000 } })
    const slow = new Handwritten(url, [
      'POST /v1/verifications HTTP/1.1',
      'Authorization: Bearer alice',
      'Content-Type: application/json',
      'Content-Length: 1000',
    ])
    const dripping = setInterval(() => slow.socket.writable && slow.socket.write(' '), 10)
    const answer = await slow.answer()
    clearInterval(dripping)
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('that never ends is given up at its bound', async () => {
    const url = await listen({ limits: { jsonBytes: 10_000 } })
    const endless = new Handwritten(url, [
      'POST /v1/verifications HTTP/1.1',
      'Authorization: Bearer alice',
      'Content-Type: application/json',
      'Transfer-Encoding: chunked',
    ])
    const chunk = `400\r\n${' '.repeat(0x400)}\r\n`
    const pouring = setInterval(() => endless.socket.writable && endless.socket.write(chunk.repeat(8)), 1)
    const answer = await endless.answer()
    clearInterval(pouring)
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toContain('"code":"body-too-large"')
  })

  it('that two readers would end at different places is not read at all', async () => {
    const url = await listen()
    const smuggled = new Handwritten(url, [
      'POST /v1/verifications HTTP/1.1',
      'Authorization: Bearer alice',
      'Content-Type: application/json',
      'Content-Length: 5',
      'Transfer-Encoding: chunked',
    ])
    smuggled.socket.write('0\r\n\r\nGET /v1/owner HTTP/1.1\r\n\r\n')
    expect(await smuggled.answer()).toMatch(/^HTTP\/1\.1 400 /)
  })
})

/** Server-sent events as they come. */
class Listener {
  readonly blocks: string[] = []
  readonly response: IncomingMessage
  #rest = ''
  #ended = false
  #wake = (): void => {}

  private constructor(response: IncomingMessage) {
    this.response = response
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      const parts = (this.#rest + text).split('\n\n')
      this.#rest = parts.pop() ?? ''
      this.blocks.push(...parts)
      this.#wake()
    })
    response.on('close', () => {
      this.#ended = true
      this.#wake()
    })
    response.on('error', () => {})
  }

  static open(url: URL, headers: Record<string, string> = {}): Promise<Listener> {
    return new Promise((resolve, reject) => {
      httpRequest(url, { headers, agent: false }, (response) => resolve(new Listener(response)))
        .on('error', reject)
        .end()
    })
  }

  async until(holds: (blocks: readonly string[]) => boolean): Promise<void> {
    while (!holds(this.blocks) && !this.#ended)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
  }

  end(): Promise<void> {
    return this.until(() => false)
  }

  get ids(): string[] {
    return this.blocks.flatMap((block) => /^id: (.*)$/m.exec(block)?.[1] ?? [])
  }

  get last(): string | undefined {
    return this.blocks.at(-1)
  }
}

describe('following', () => {
  const events = (base: URL, id: string, query = '') => new URL(`/v1/verifications/${id}/events${query}`, base)
  const has = (count: number) => (blocks: readonly string[]) => blocks.filter((block) => block.startsWith('id: ')).length >= count

  it('hears what was, what comes, that the service is there, and the end with its verdict', async () => {
    const url = await listen()
    const id = await service.prepared(alice.owner.id, { attempts: 1 })
    await log(id, 1, 'first', '<b>\u202e')
    const listener = await Listener.open(events(url, id))
    expect(listener.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'access-control-allow-origin': '*',
    })
    await listener.until(has(2))
    await listener.until((blocks) => blocks.includes(': still here'))
    await log(id, 1, 'third')
    await listener.until(has(3))
    await service.commit(worker)
    await service.decide(id)
    await listener.end()
    expect(listener.ids).toEqual(['1', '2', '3', 'end'])
    expect(listener.blocks[0]).toBe('retry: 3000')
    expect(listener.blocks[2]).toContain('\\u003cb\\u003e\\u202e')
    expect(listener.last).toBe(
      `id: end\nevent: end\ndata: ${JSON.stringify({ verification: id, state: 'finished', verdict: 'reproduced', tier: 'bit-exact' })}`,
    )
  })

  it('goes on where it broke off, and stops when it has heard the end', async () => {
    const url = await listen()
    const id = await service.prepared(alice.owner.id, { attempts: 1 })
    await log(id, 1, ...Array.from({ length: 10 }, (_, index) => `line ${index}`))
    const first = await Listener.open(events(url, id))
    await first.until(has(4))
    first.response.destroy()
    const second = await Listener.open(events(url, id), { 'last-event-id': '4' })
    await second.until(has(6))
    await cancelVerification(service.ports, id)
    await second.end()
    expect(second.ids).toEqual(['5', '6', '7', '8', '9', '10', 'end'])
    expect(second.last).toContain('"state":"cancelled","verdict":null')
    const third = await Listener.open(events(url, id), { 'last-event-id': 'end' })
    expect(third.response.statusCode).toBe(204)
    const query = await Listener.open(events(url, id, '?after=8'))
    await query.end()
    expect(query.ids).toEqual(['9', '10', 'end'])
  })

  it('of one attempt hears nothing of another', async () => {
    const url = await listen()
    const id = await service.prepared(alice.owner.id, { attempts: 2 })
    const attempt = await service.commit(worker)
    await log(id, 1, 'of the first')
    await log(id, 2, 'of the second')
    const listener = await Listener.open(new URL(`/v1/attempts/${attempt}/events`, url))
    await listener.until(has(1))
    await cancelVerification(service.ports, id)
    await listener.end()
    expect(listener.ids).toEqual(['1', 'end'])
  })

  it('is refused where there is nothing to follow, or no such place to go on from', async () => {
    const url = await listen()
    const id = await service.prepared(alice.owner.id)
    const codeOf = async (target: URL, last?: string) => {
      const answer = await fetch(target, { headers: last === undefined ? {} : { 'last-event-id': last } })
      return [answer.status, ((await answer.json()) as { code: string }).code]
    }
    expect(await codeOf(events(url, '0198c3a0-5c1e-7d3a-9f00-5b8f2f6d1c11'))).toEqual([404, 'verification-unknown'])
    for (const last of ['5', 'end']) expect(await codeOf(events(url, id), last)).toEqual([400, 'event-unknown'])
    for (const last of ['-1', '1e3', 'x', '01', '99999999999'])
      expect(await codeOf(events(url, id), last)).toEqual([400, 'request-malformed'])
    await cancelVerification(service.ports, id)
  })

  it('by a thousand costs no more than by one, and leaves nothing when they go', async () => {
    const url = await listen()
    const id = await service.prepared(alice.owner.id, { attempts: 1 })
    await log(id, 1, 'first')
    const listeners = await Promise.all(Array.from({ length: 1000 }, () => Listener.open(events(url, id))))
    await Promise.all(listeners.map((listener) => listener.until(has(1))))
    expect(service.followers.count).toBe(1000)
    await log(id, 1, 'second')
    await Promise.all(listeners.map((listener) => listener.until(has(2))))
    for (const listener of listeners.slice(0, 900)) listener.response.destroy()
    while (service.followers.count > 100) await new Promise((resolve) => setImmediate(resolve))
    await cancelVerification(service.ports, id)
    await Promise.all(listeners.slice(900).map((listener) => listener.end()))
    for (const listener of listeners.slice(900)) expect(listener.ids).toEqual(['1', '2', 'end'])
    while (service.followers.count > 0) await new Promise((resolve) => setImmediate(resolve))
  })

  it('by too many is for later', async () => {
    const url = await listen()
    const id = await service.prepared(alice.owner.id, { attempts: 1 })
    await log(id, 1, 'first')
    const listeners = await Promise.all(Array.from({ length: 1200 }, () => Listener.open(events(url, id))))
    await Promise.all(listeners.map((listener) => listener.until(has(1))))
    const answer = await fetch(events(url, id))
    expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toMatchObject([503, '30', { code: 'followers-limit' }])
    await cancelVerification(service.ports, id)
    await Promise.all(listeners.map((listener) => listener.end()))
    expect(service.followers.count).toBe(0)
  })

  it('without reading is cut off, and nobody else waits for it', async () => {
    // Long enough for whoever reads, also on a machine that is busy.
    const url = await listen({ limits: { stallMs: 3000 } })
    const id = await service.prepared(alice.owner.id, { attempts: 1 })
    const deaf = connect(Number(url.port), url.hostname)
    deaf.on('error', () => {})
    deaf.pause()
    deaf.write(`GET /v1/verifications/${id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    const hearing = await Listener.open(events(url, id))
    while (service.followers.count < 2) await new Promise((resolve) => setImmediate(resolve))
    // More than the buffers of both sides of a connection hold.
    const lines = Array.from({ length: 4000 }, () => 'x'.repeat(4000))
    for (let round = 0; round < 2; round += 1) await log(id, 1, ...lines)
    await hearing.until(has(8000))
    while (service.followers.count > 1) await new Promise((resolve) => setImmediate(resolve))
    await cancelVerification(service.ports, id)
    await hearing.end()
    expect(hearing.last).toContain('event: end')
    deaf.destroy()
  })
})

describe('a blob', () => {
  it('that is damaged is cut off, and never looks whole', async () => {
    const url = await listen()
    const text = 'x'.repeat(3 << 20)
    const { sha256, size } = await service.put(text)
    const id = await service.prepared(alice.owner.id, { attempts: 1 })
    await service.commit(worker)
    await service.decide(id, { report: sha256, blobs: [{ sha256, size, role: 'report' }] })
    const read = () => fetch(new URL(`/v1/blobs/${sha256}`, url)).then((answer) => answer.text())
    expect(await read()).toBe(text)
    await writeFile(path.join(service.blobFolder, 'sha256', sha256.slice(0, 2), sha256), `${text.slice(1)}y`)
    await expect(read()).rejects.toThrow('terminated')
    expect(service.troubles.splice(0)).toMatchObject([{ error: { code: 'blob-damaged' } }])
  })
})
