import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { memoryBlobs } from '../../verifier/builder/inputs/testing/memory-blobs.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { NonceMemory } from '../worker-auth/nonce-memory.ts'
import { verifyRequest } from '../worker-auth/verify-request.ts'
import { WorkerKey } from '../worker-auth/worker-key.ts'
import { HttpCoordinator } from './http-coordinator.ts'
import { jobOf } from './testing/scripted-coordinator.ts'

const key = new WorkerKey(generateKeyPairSync('ed25519').privateKey)
const never = new AbortController().signal
const CLAIM = {
  schema: 'bitwitness/worker-claim/v1',
  capabilities: { architecture: 'amd64', builders: [], isolation: 'shared-kernel' },
  waitSeconds: 0,
} satisfies Parameters<HttpCoordinator['claim']>[0]
const BEAT = { schema: 'bitwitness/worker-heartbeat/v1', lease: jobOf().lease } as const
const ID = jobOf().attempt.id

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
})

async function serving(listener: RequestListener): Promise<{ coordinator: HttpCoordinator; origin: URL }> {
  const server = createServer(listener)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  return { coordinator: new HttpCoordinator({ origin, key, version: '0.0.0', patience: { firstMs: 1, mostMs: 2 } }), origin }
}

const problem = (status: number, code: string): RequestListener => {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify({ code, detail: 'a text of theirs \u001b[2J', hint: 'another one' }))
  }
}

async function failureOf(doing: Promise<unknown>): Promise<Failure> {
  const error: unknown = await doing.then(
    () => new Error('it was taken'),
    (reason: unknown) => reason,
  )
  if (error instanceof Failure) return error
  throw error
}

const beat = async (listener: RequestListener): Promise<Failure> => failureOf((await serving(listener)).coordinator.heartbeat(ID, BEAT))

describe('what answers in the place of a coordinator', () => {
  it.each<[string, RequestListener, string, boolean]>([
    [
      'a page',
      (_, response) => void response.writeHead(404, { 'content-type': 'text/html' }).end('<b>nothing</b>'),
      'coordinator-not-bitwitness',
      false,
    ],
    ['a coordinator without this route', problem(404, 'route-unknown'), 'coordinator-not-bitwitness', false],
    [
      'a redirect',
      (_, response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
      'coordinator-redirects',
      false,
    ],
    ['a failing proxy', (_, response) => void response.writeHead(502).end(), 'coordinator-failing', true],
    ['a coordinator whose database is away', problem(503, 'unavailable'), 'coordinator-failing', true],
    ['one that has enough', problem(429, 'rate-limited'), 'coordinator-failing', true],
    ['no JSON', (_, response) => void response.end('x'), 'coordinator-answer-malformed', false],
    ['another document', (_, response) => void response.end('{"expiresAt":1}'), 'coordinator-answer-malformed', false],
    ['an answer without end', (_, response) => writeFor(response, 6 << 20), 'coordinator-answer-malformed', false],
    ['an answer that breaks off', (_, response) => breakOff(response), 'coordinator-unreachable', true],
    ['a connection that ends', (request) => void request.destroy(), 'coordinator-unreachable', true],
    ['a code that is none', problem(409, '<script>'), 'coordinator-not-bitwitness', false],
    ['a code of another time', problem(418, 'teapot-short'), 'teapot-short', false],
    ['a clock that is off', problem(401, 'worker-signature-stale'), 'worker-signature-stale', true],
  ])('as %s does', async (_, listener, code, retryable) => {
    const failure = await beat(listener)
    expect([failure.code, failure.retryable]).toEqual([code, retryable])
    expect(`${failure.message} ${failure.hint} ${JSON.stringify(failure.data)}`).not.toMatch(/theirs|another one|<|nothing<|127\.0\.0\.1/)
  })

  it('says with our own words why it refuses', async () => {
    expect(await beat(problem(409, 'lease-expired'))).toMatchObject({ code: 'lease-expired', message: 'the lease has run out' })
    expect(await beat(problem(422, 'report-lock-differs'))).toMatchObject({ message: expect.stringContaining('inputs of its job') })
    expect(await beat(problem(401, 'worker-signature-invalid'))).toMatchObject({ hint: expect.stringContaining('bitwitness worker add') })
  })

  it('is nobody', async () => {
    const coordinator = new HttpCoordinator({ origin: new URL('http://127.0.0.1:1/'), key, version: '0.0.0' })
    expect(await failureOf(coordinator.heartbeat(ID, BEAT))).toMatchObject({ code: 'coordinator-unreachable', retryable: true })
  })
})

describe('a request', () => {
  it('is signed anew each time that it is sent, over all that it says', async () => {
    const nonces = new NonceMemory({ since: 0 })
    const seen: unknown[] = []
    let failures = 2
    const { coordinator } = await serving((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const header = (name: string): string | null => (request.headers[name] as string | undefined) ?? null
        verifyRequest(
          { method: request.method ?? '', target: request.url ?? '', header },
          { withKey: async (publicKey) => (publicKey === key.publicKey ? 'known' : undefined), now: new Date(), nonces },
        ).then(
          ({ worker, body }) => {
            seen.push([request.method, request.url, worker, body === digestOf(Buffer.concat(parts))])
            if (failures-- > 0) return response.writeHead(503).end()
            return response.writeHead(200, { 'content-type': 'application/json' }).end('{"missing":[]}')
          },
          (error: unknown) => {
            seen.push(error)
            response.writeHead(500).end()
          },
        )
      })
    })
    const sha256 = digestOf('x')
    await coordinator.missing(ID, { schema: 'bitwitness/worker-blobs/v1', lease: BEAT.lease, digests: [sha256] })
    const once = ['POST', `/v1/worker/attempts/${ID}/blobs`, 'known', true]
    expect(seen).toEqual([once, once, once])
    seen.length = 0
    await coordinator.give({ attemptId: ID, lease: BEAT.lease, sha256, size: 1, bytes: () => bytesOf('x'), signal: never })
    expect(seen).toEqual([['PUT', `/v1/worker/attempts/${ID}/blobs/${sha256}?lease=${BEAT.lease}`, 'known', true]])
  })

  it('for an attempt is sent once: what it gave would be lost', async () => {
    let asked = 0
    const { coordinator } = await serving((_, response) => {
      asked += 1
      response.writeHead(503).end()
    })
    await failureOf(coordinator.claim(CLAIM, never))
    expect(asked).toBe(1)
  })

  it('ends when the worker is to end', async () => {
    const { coordinator } = await serving(() => {})
    const stop = new AbortController()
    const claim = coordinator.claim({ ...CLAIM, waitSeconds: 30 }, stop.signal)
    stop.abort(new Error('to end'))
    await expect(claim).rejects.toThrow('to end')
  })

  it('is given up where nothing moves', async () => {
    const { origin } = await serving(() => {})
    const { exchange } = await import('./exchange.ts')
    const sent = { method: 'GET', target: '/v1/worker/x', stallMs: 20 } as const
    const failure = await failureOf(exchange({ origin, key, version: '0' }, sent, async () => {}))
    expect(failure.code).toBe('coordinator-unreachable')
  })
})

describe('blobs', () => {
  it('are fetched where they are not there, and again where they broke off', async () => {
    const texts = Array.from({ length: 9 }, (_, at) => `blob ${at}`)
    const asked: string[] = []
    const { coordinator } = await serving((request, response) => {
      const sha256 = request.url?.split('/').at(-1) ?? ''
      asked.push(sha256)
      const text = texts.find((one) => digestOf(one) === sha256) ?? ''
      if (asked.filter((one) => one === sha256).length === 1) return breakOff(response)
      return void response.end(text)
    })
    const into = memoryBlobs()
    await into.put(bytesOf('blob 0'))
    await coordinator.fetch(texts.map(digestOf), into, never)
    expect([...into.bytes.values()].map(String).toSorted()).toEqual(texts)
    expect(asked).not.toContain(digestOf('blob 0'))
    expect(asked).toHaveLength(16)
  })

  it('that are other bytes are not kept', async () => {
    const { coordinator } = await serving((_, response) => void response.end('other bytes'))
    const into = memoryBlobs()
    expect(await failureOf(coordinator.fetch([digestOf('x')], into, never))).toMatchObject({ code: 'blob-differs' })
    expect(into.bytes.size).toBe(0)
  })

  it('that are not there are said to be, after one question', async () => {
    let asked = 0
    const { coordinator } = await serving((request, response) => {
      asked += 1
      problem(404, 'blob-missing')(request, response)
    })
    expect(await failureOf(coordinator.fetch([digestOf('x')], memoryBlobs(), never))).toMatchObject({ code: 'blob-missing' })
    expect(asked).toBe(1)
  })

  it('that cannot be read here fail by that, and not by the coordinator', async () => {
    const { coordinator } = await serving((request, response) => {
      request.resume()
      request.on('end', () => response.writeHead(204).end())
      request.on('error', () => {})
    })
    const damaged = new Failure({ code: 'blob-damaged', message: 'm', hint: 'h' })
    const bytes = async function* () {
      yield Buffer.from('x')
      throw damaged
    }
    const given = coordinator.give({ attemptId: ID, lease: BEAT.lease, sha256: digestOf('x'), size: 1, bytes, signal: never })
    expect(await failureOf(given)).toBe(damaged)
  })
})

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

function breakOff(response: Parameters<RequestListener>[1]): void {
  response.writeHead(200, { 'content-length': '1000' })
  response.write('{')
  setTimeout(() => response.destroy(), 5)
}

function writeFor(response: Parameters<RequestListener>[1], bytes: number): void {
  response.on('error', () => {})
  response.write('"')
  response.end(Buffer.alloc(bytes, 'x'))
}
