import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { pushBlob } from './blob-upload.ts'
import { answer, type FakeOptions, FakeRegistry, type Intercept } from './testing/fake-registry.ts'
import { account, blobOf, never, openSession } from './testing/open.ts'

const bytes = randomBytes(3 * 1024 * 1024 + 17)
const blob = blobOf(bytes)
const digest = `sha256:${blob.sha256}`

async function pushed(options: FakeOptions, o: { mountFrom?: string; waited?: number[]; done?: number[] } = {}) {
  await using fake = await FakeRegistry.start(options)
  const state = await pushBlob(openSession(fake.host, o), blob, { signal: never, onBytes: (done) => o.done?.push(done) })
  return { fake, state }
}

describe('pushing a blob', () => {
  it('sends it in one piece, and asks afterwards whether it is there', async () => {
    const done: number[] = []
    const { fake, state } = await pushed({}, { done })
    expect(state).toBe('uploaded')
    expect(fake.blobs.get(digest)?.equals(bytes)).toBe(true)
    expect(fake.seen.map(({ method }) => method)).toEqual(['HEAD', 'POST', 'PATCH', 'PUT', 'HEAD'])
    expect(done.at(-1)).toBe(bytes.length)
    expect(done).toEqual(done.toSorted((a, b) => a - b))
  })

  it('sends nothing where it is there already', async () => {
    await using fake = await FakeRegistry.start()
    fake.blobs.set(digest, bytes)
    expect(await pushBlob(openSession(fake.host), blob, { signal: never })).toBe('present')
    expect(fake.seen.map(({ method }) => method)).toEqual(['HEAD'])
  })

  it('takes it over from another repository that has it, and uploads where that has not', async () => {
    await using fake = await FakeRegistry.start()
    fake.blobs.set(`elsewhere ${digest}`, bytes)
    expect(await pushBlob(openSession(fake.host, { mountFrom: 'owner/other' }), blob, { signal: never })).toBe('mounted')
    expect(fake.requests('POST').map(({ url }) => url)).toEqual([`/v2/owner/app/blobs/uploads/?mount=${digest}&from=owner%2Fother`])
    expect(fake.requests('PATCH')).toEqual([])
    expect((await pushed({}, { mountFrom: 'owner/other' })).state).toBe('uploaded')
  })

  it('pushes an empty blob, one of one byte and one of two', async () => {
    await using fake = await FakeRegistry.start()
    for (const text of ['', 'x', '{}']) {
      const small = blobOf(Buffer.from(text))
      expect(await pushBlob(openSession(fake.host), small, { signal: never })).toBe('uploaded')
      expect(fake.blobs.get(`sha256:${small.sha256}`)?.toString()).toBe(text)
    }
  })

  it('gives the session back what it was told of it, byte for byte', async () => {
    const { fake } = await pushed({})
    expect(fake.requests('PUT')[0]?.url).toMatch(/\?_state=a%2Bb%3D&digest=sha256:[0-9a-f]{64}$/)
  })
})

describe('a token that ends in the midst of an upload', () => {
  it.each(['PATCH', 'PUT', 'POST'])('is replaced at the %s', async (method) => {
    let ended = false
    await using fake = await FakeRegistry.start({
      auth: 'bearer',
      intercept: (request, _, self) => {
        if (request.method === method && !ended) self.tokens.clear()
        ended ||= request.method === method
        return false
      },
    })
    expect(await pushBlob(openSession(fake.host, { credentials: account }), blob, { signal: never })).toBe('uploaded')
    expect(fake.blobs.get(digest)?.equals(bytes)).toBe(true)
    expect(fake.asked).toHaveLength(2)
  })
})

describe('a broken connection', () => {
  it('is taken up where the registry says that it broke', async () => {
    const { fake, state } = await pushed({ cuts: [1_000_000, 1_000_000] })
    expect(state).toBe('uploaded')
    expect(fake.blobs.get(digest)?.equals(bytes)).toBe(true)
    expect(fake.requests('POST')).toHaveLength(1)
    const patches = fake.requests('PATCH')
    expect(patches).toHaveLength(3)
    expect(patches[0]?.headers['content-range']).toBeUndefined()
    for (const patch of patches.slice(1)) {
      const [, from = '', to = ''] = /^(\d+)-(\d+)$/.exec(patch.headers['content-range'] ?? '') ?? []
      expect(Number(from)).toBeGreaterThan(0)
      expect([Number(to), Number(patch.headers['content-length'])]).toEqual([bytes.length - 1, bytes.length - Number(from)])
    }
  })

  it('without any progress ends after a few tries, each later than the one before', async () => {
    const waited: number[] = []
    const intercept: Intercept = (request) => {
      if (request.method === 'PATCH') request.socket.destroy()
      return request.method === 'PATCH'
    }
    await expect(pushed({ intercept }, { waited })).rejects.toMatchObject({ code: 'registry-upload-failed', retryable: true })
    expect(waited).toEqual([500, 1000, 2000, 4000])
  })

  it('that always gets a little further ends as well', async () => {
    let arrived = 1
    const intercept: Intercept = (request, response) => {
      if (request.method === 'PATCH') request.socket.destroy()
      if (request.method === 'GET') response.writeHead(204, { range: `0-${arrived}` }).end()
      arrived += 1
      return request.method === 'PATCH' || request.method === 'GET'
    }
    await expect(pushed({ intercept })).rejects.toMatchObject({ code: 'registry-upload-failed' })
    expect(arrived).toBeLessThan(300)
  })

  it('at the very end costs no second upload where the blob arrived', async () => {
    const intercept: Intercept = (request, _, fake) => {
      if (request.method !== 'PUT') return false
      fake.blobs.set(digest, bytes)
      request.socket.destroy()
      return true
    }
    const { fake, state } = await pushed({ intercept })
    expect([state, fake.requests('POST').length]).toEqual(['uploaded', 1])
  })

  it('to a registry that forgot the session begins anew', async () => {
    let cut = false
    const intercept: Intercept = (request, response, fake) => {
      if (request.method === 'PATCH' && !cut) {
        cut = true
        request.once('data', () => {
          fake.uploads.clear()
          request.socket.destroy()
        })
        return true
      }
      if (request.method === 'GET') response.writeHead(404).end()
      return request.method === 'GET'
    }
    const { fake, state } = await pushed({ intercept })
    expect([state, fake.requests('POST').length]).toEqual(['uploaded', 2])
    expect(fake.blobs.get(digest)?.equals(bytes)).toBe(true)
  })
})

describe('a registry that lies', () => {
  const answering = (method: string, status: number, headers: Record<string, string>, times = Number.POSITIVE_INFINITY): Intercept => {
    let left = times
    return (request, response) => {
      if (request.method !== method || left <= 0) return false
      left -= 1
      request.resume()
      request.on('end', () => response.writeHead(status, headers).end())
      return true
    }
  }

  it.each([
    [
      'that it has the blob, by another digest',
      answering('HEAD', 200, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }),
      'registry-digest-differs',
    ],
    ['that it has the blob, of another size', answering('HEAD', 200, { 'content-length': '5' }), 'registry-digest-differs'],
    [
      'that it took another blob',
      answering('PUT', 201, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }),
      'registry-digest-differs',
    ],
    ['that it took the blob, and has none', answering('PUT', 201, {}), 'registry-digest-differs'],
    ['about an upload that it gives no place to', answering('POST', 202, {}), 'registry-answer-malformed'],
    [
      'about an upload with http in a place that is not here',
      answering('POST', 202, { location: 'http://192.0.2.1/x' }),
      'registry-redirect-refused',
    ],
    [
      'about an upload in a place with a password',
      answering('POST', 202, { location: 'https://a:b@host.example/x' }),
      'registry-redirect-refused',
    ],
    ['about an upload in a file', answering('POST', 202, { location: 'file:///etc/passwd' }), 'registry-redirect-refused'],
    ['about where to begin', answering('POST', 302, { location: '/elsewhere' }), 'registry-redirect-refused'],
    ['about its rules', answering('PATCH', 405, {}), 'registry-refused'],
    ['about who may', answering('PATCH', 403, {}), 'registry-denied'],
  ])('%s is not believed', async (_, intercept, code) => {
    await expect(pushed({ intercept })).rejects.toMatchObject({ code })
  })

  it.each(['0-99999999999', '5-10', 'bytes=1-2', 'x', '-1', '0--1', '0-1e3'])(
    'about how much arrived, %j, gets the whole again',
    async (range) => {
      let cut = false
      const intercept: Intercept = (request, response) => {
        if (request.method === 'PATCH' && !cut) {
          cut = true
          request.once('data', () => request.socket.destroy())
          return true
        }
        if (request.method === 'GET') response.writeHead(204, { range }).end()
        return request.method === 'GET'
      }
      const { fake, state } = await pushed({ intercept })
      expect(state).toBe('uploaded')
      expect(fake.blobs.get(digest)?.equals(bytes)).toBe(true)
      // Nothing is finished that did not arrive.
      expect(fake.requests('PUT')).toHaveLength(1)
    },
  )

  it('that other bytes arrived, again and again, is given up', async () => {
    await expect(pushed({ intercept: answering('PUT', 400, {}) })).rejects.toMatchObject({ code: 'registry-upload-failed' })
  })

  it('that it is busy is believed a few times, for as long as it says', async () => {
    const waited: number[] = []
    const { state } = await pushed({ intercept: answering('POST', 429, { 'retry-after': '7' }, 2) }, { waited })
    expect([state, waited]).toEqual(['uploaded', [7000, 7000]])
    await expect(pushed({ intercept: answering('POST', 429, { 'retry-after': '3600' }) })).rejects.toMatchObject({
      code: 'registry-rate-limited',
      data: { status: 429, retryAfterSeconds: 3600 },
    })
    await expect(pushed({ intercept: answering('POST', 503, {}) })).rejects.toMatchObject({
      code: 'registry-failing',
      data: { status: 503 },
    })
  })
})

it('a registry that redirects what is sent gets nothing sent elsewhere', async () => {
  await using other = await FakeRegistry.start()
  await using fake = await FakeRegistry.start({
    intercept: (request, response) => {
      if (request.method !== 'POST') return false
      return answer(response, 307, { location: `http://${other.host}${request.url}` })
    },
  })
  await expect(pushBlob(openSession(fake.host, { credentials: account }), blob, { signal: never })).rejects.toMatchObject({
    code: 'registry-redirect-refused',
  })
  expect(other.seen).toEqual([])
})

describe('a server in between that takes no large request', () => {
  it('gets pieces that it takes', async () => {
    const limit = 4 * 1024 ** 2
    const large = blobOf(randomBytes(limit * 2 + 5))
    await using fake = await FakeRegistry.start({
      intercept: (request, response) => {
        const length = Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY)
        if (request.method !== 'PATCH' || length <= limit) return false
        response.writeHead(413, { connection: 'close' }).end()
        return true
      },
    })
    expect(await pushBlob(openSession(fake.host), large, { signal: never })).toBe('uploaded')
    expect(fake.requests('PATCH').map(({ headers }) => headers['content-range'])).toEqual([
      undefined,
      undefined,
      `0-${limit - 1}`,
      `${limit}-${2 * limit - 1}`,
      `${2 * limit}-${2 * limit + 4}`,
    ])
  })
})

describe('memory', () => {
  it('does not grow with the blob', async () => {
    const size = 256 * 1024 ** 2
    const piece = Buffer.alloc(1 << 20)
    await using fake = await FakeRegistry.start({
      intercept: (request, response) => {
        if (request.method !== 'PATCH') return false
        request.resume()
        request.on('end', () => response.writeHead(403).end())
        return true
      },
    })
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    // What is no longer held is no growth; when it goes is the collector's affair.
    const held = (): number => {
      collect()
      return process.memoryUsage().arrayBuffers
    }
    let most = 0
    const source = {
      sha256: blob.sha256,
      size,
      async *open() {
        for (let at = 0; at < size; at += piece.length) {
          if (at % (8 * piece.length) === 0) most = Math.max(most, held())
          yield piece
        }
      },
    }
    const before = held()
    await expect(pushBlob(openSession(fake.host), source, { signal: never })).rejects.toMatchObject({ code: 'registry-denied' })
    expect(most - before).toBeLessThan(64 * 1024 ** 2)
  })
})

it('an interruption ends it at once', async () => {
  const stop = new AbortController()
  await using fake = await FakeRegistry.start({
    intercept: (request) => {
      if (request.method === 'PATCH') stop.abort()
      return request.method === 'PATCH'
    },
  })
  await expect(pushBlob(openSession(fake.host), blob, { signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' })
})
