import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { hasBlob, readBlob } from './blob-read.ts'
import { answer, type FakeOptions, FakeRegistry } from './testing/fake-registry.ts'
import { blobOf, never, openSession } from './testing/open.ts'

const bytes = randomBytes(2 * 1024 * 1024 + 3)
const blob = blobOf(bytes)

async function read(options: FakeOptions, of = blob): Promise<{ got: Buffer; fake: FakeRegistry }> {
  await using fake = await FakeRegistry.start(options)
  fake.blobs.set(`sha256:${of.sha256}`, bytes)
  return { got: Buffer.concat(await Array.fromAsync(readBlob(openSession(fake.host), of, never))), fake }
}

const gets = (reply: (made: number, ...o: Parameters<NonNullable<FakeOptions['intercept']>>) => boolean): FakeOptions => {
  let made = 0
  return { intercept: (request, response, fake) => request.method === 'GET' && reply((made += 1), request, response, fake) }
}

describe('looking for a blob', () => {
  it.each([200, 404])('in a store whose links are signed for GET alone is done by GET: %d', async (status) => {
    await using store = await FakeRegistry.start({
      intercept: (request, response) => answer(response, request.method === 'GET' ? status : 403, { 'content-length': bytes.length }),
    })
    await using fake = await FakeRegistry.start({
      intercept: (_, response) => answer(response, 307, { location: `http://${store.host}/signed` }),
    })
    expect(await hasBlob(openSession(fake.host), blob, never)).toBe(status === 200)
    expect(store.seen.map(({ method }) => method)).toEqual(['HEAD', 'GET'])
  })
})

describe('reading a blob', () => {
  it('gives its bytes', async () => {
    expect((await read({})).got.equals(bytes)).toBe(true)
    await using fake = await FakeRegistry.start()
    const empty = blobOf(Buffer.alloc(0))
    fake.blobs.set(`sha256:${empty.sha256}`, Buffer.alloc(0))
    expect(await Array.fromAsync(readBlob(openSession(fake.host), empty, never))).toEqual([])
  })

  it.each([
    ['from there on', false],
    ['from the start where the registry knows no ranges', true],
  ])('goes on after a broken connection, %s', async (_, deaf) => {
    const { got, fake } = await read(
      gets((made, request, response) => {
        const half = bytes.subarray(0, 1_000_000)
        if (made === 1) response.writeHead(200, { 'content-length': bytes.length }).write(half, () => request.socket.destroy())
        else if (deaf) response.writeHead(200).end(bytes)
        return made === 1 || deaf
      }),
    )
    expect(got.equals(bytes)).toBe(true)
    expect(fake.requests('GET').map(({ headers }) => headers.range !== undefined)).toEqual([false, true])
  })

  it.each([
    ['enough in that time', 2_000_000, true],
    ['next to nothing in that time', 1000, false],
  ])('whose registry gives %s: goes on or not', async (_, first, goesOn) => {
    let now = 0
    await using fake = await FakeRegistry.start(
      gets((___, __, response) => {
        response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, first))
        rest = () => response.end(bytes.subarray(first))
        return true
      }),
    )
    let rest = (): unknown => undefined
    const reading = readBlob(openSession(fake.host, { now: () => now }), blob, never)
    const parts: Uint8Array[] = []
    for (let size = 0; size < first; ) {
      const next = await reading.next()
      if (next.done === true) break
      parts.push(next.value)
      size += next.value.length
    }
    // Two minutes in which the rest could have come.
    now = 121_000
    rest()
    const left = Array.fromAsync(reading)
    if (goesOn) expect(Buffer.concat([...parts, ...(await left)]).equals(bytes)).toBe(true)
    else await expect(left).rejects.toMatchObject({ code: 'registry-unreachable', data: { reason: 'slow' } })
  })

  it.each([
    ['other bytes', gets((_, __, response) => answer(response, 200, {}, randomBytes(bytes.length))), 'registry-digest-differs'],
    [
      'one byte more',
      gets((_, __, response) => answer(response, 200, {}, Buffer.concat([bytes, Buffer.from('x')]))),
      'registry-digest-differs',
    ],
    ['one byte less', gets((_, __, response) => answer(response, 200, {}, bytes.subarray(1))), 'registry-digest-differs'],
    [
      'a range that nobody asked for',
      gets((_, __, response) => answer(response, 206, { 'content-range': 'bytes 5-9/10' }, 'x')),
      'registry-answer-malformed',
    ],
    ['none', gets((_, __, response) => answer(response, 404)), 'registry-not-found'],
    ['something without a meaning', gets((_, __, response) => answer(response, 204)), 'registry-answer-malformed'],
  ])('that has %s fails', async (_, options, code) => {
    await expect(read(options)).rejects.toMatchObject({ code })
  })

  it('believes no range that begins elsewhere', async () => {
    const wrong = gets((made, request, response) => {
      if (made === 1)
        response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 1000), () => request.socket.destroy())
      else response.writeHead(206, { 'content-range': `bytes 0-${bytes.length - 1}/${bytes.length}` }).end(bytes)
      return true
    })
    await expect(read(wrong)).rejects.toMatchObject({ code: 'registry-answer-malformed' })
  })

  it('reads no further than the blob is large', async () => {
    let sent = 0
    const endless = gets((_, __, response) => {
      response.writeHead(200)
      const part = Buffer.alloc(65536)
      const more = (): void => {
        sent += part.length
        if (response.write(part)) setImmediate(more)
        else response.once('drain', more)
      }
      more()
      return true
    })
    await expect(read(endless)).rejects.toMatchObject({ code: 'registry-digest-differs' })
    expect(sent).toBeLessThan(64 * 1024 ** 2)
  })
})
