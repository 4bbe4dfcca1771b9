import { once } from 'node:events'
import { connect } from 'node:net'
import { duplexPair } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../bytes/digest-of.ts'
import type { BlobStore } from '../../model/blob-store.ts'
import { encodeLock } from '../../model/lock.ts'
import type { InputLimits, InputProxy } from './input-proxy.ts'
import { recordInputs } from './record.ts'
import { replayInputs } from './replay.ts'
import { memoryBlobs } from './testing/memory-blobs.ts'
import { get, rawExchange, split } from './testing/raw-client.ts'
import { type TestMirror, testMirror } from './testing/test-mirror.ts'

const BODY = Buffer.alloc(200_000, 'abcdefg')

function live(mirror: TestMirror, blobs: BlobStore, limits: Partial<InputLimits> = {}): InputProxy {
  const mirrors = new Map([['debian', [mirror.url]]])
  return recordInputs({
    mirrors,
    blobs,
    architecture: 'amd64',
    snapshot: null,
    backoffMs: 1,
    limits: { stallMs: 500, tries: 3, ...limits },
  })
}

const heads = async (proxy: InputProxy, request: string): Promise<string> =>
  split(await rawExchange(proxy, request)).head.split('\r\n')[0] ?? ''

describe('what the build may ask for', () => {
  it.each([
    ['another host', get('debian', 'x').replace('archive.invalid', 'mirror.example'), '403 input-refused', '', 'mirror.example'],
    ['an archive without mirrors', get('debian-debug', 'x'), '403 input-refused', 'debian-debug', 'x'],
    ['a path that climbs', get('debian', '../x'), '403 input-refused', '', 'archive.invalid'],
    [
      'an address without a host',
      'GET /debian/x HTTP/1.1\r\nHost: archive.invalid\r\nConnection: close\r\n\r\n',
      '403 input-refused',
      '',
      '',
    ],
    ['a tunnel', 'CONNECT mirror.example:443 HTTP/1.1\r\nHost: mirror.example:443\r\n\r\n', '405 input-refused', '', 'mirror.example'],
    ['to post', get('debian', 'x').replace('GET', 'POST'), '405 input-refused', 'debian', 'x'],
    ['with a body', `${get('debian', 'x', 'Content-Length: 3\r\n')}abc`, '405 input-refused', 'debian', 'x'],
    ['with a body in chunks', `${get('debian', 'x', 'Transfer-Encoding: chunked\r\n')}0\r\n\r\n`, '405 input-refused', 'debian', 'x'],
  ])('is not %s, live as in a replay', async (_, request, status, archive, path) => {
    await using mirror = await testMirror()
    await using recording = live(mirror, memoryBlobs())
    const answer = await rawExchange(recording, request)
    expect(answer.toString().split('\r\n')[0]).toBe(`HTTP/1.1 ${status}`)
    expect(recording.failures()).toMatchObject([{ code: 'input-refused', archive, path }])
    expect(mirror.asked).toEqual([])
    const lock = await recording.finish()
    expect(lock).toMatchObject({ inputs: [], absent: [] })
    await using replay = replayInputs({ lock, blobs: memoryBlobs() })
    // The profile's archives are not in a lock; there, an unknown archive is an unknown input.
    if (archive !== 'debian-debug') expect(await rawExchange(replay, request)).toEqual(answer)
  })

  it('is no more often than the bound', async () => {
    await using mirror = await testMirror()
    await using recording = live(mirror, memoryBlobs(), { requests: 2 })
    const answers = [
      await heads(recording, get('debian', 'x')),
      await heads(recording, get('debian', 'y')),
      await heads(recording, get('debian', 'z')),
    ]
    expect(answers).toEqual(['HTTP/1.1 404 Not Found', 'HTTP/1.1 404 Not Found', 'HTTP/1.1 403 network-limit'])
    expect(recording.failures()).toMatchObject([{ code: 'network-limit' }])
    expect(recording.stats()).toEqual({ requests: 3, bytes: 0 })
  })

  it('is nothing larger than the bounds', async () => {
    await using mirror = await testMirror()
    mirror.on('large', BODY)
    mirror.on('small', 'x')
    await using recording = live(mirror, memoryBlobs(), { bodyBytes: 199_999 })
    expect(split(await rawExchange(recording, get('debian', 'large'))).body.length).toBeLessThan(BODY.length)
    expect(recording.failures()).toMatchObject([{ code: 'network-limit', archive: 'debian', path: 'large' }])
    expect(await recording.finish()).toMatchObject({ inputs: [], absent: [] })
    await using other = live(mirror, memoryBlobs(), { totalBytes: 200_000 })
    expect(split(await rawExchange(other, get('debian', 'large'))).body.equals(BODY)).toBe(true)
    expect(split(await rawExchange(other, get('debian', 'small'))).body.length).toBe(0)
    expect(other.failures()).toMatchObject([{ code: 'network-limit', path: 'small' }])
  })

  it('is refused a connection too many', async () => {
    await using mirror = await testMirror()
    await using recording = live(mirror, memoryBlobs(), { connections: 1 })
    const [ours, theirs] = duplexPair()
    recording.accept(theirs)
    expect((await rawExchange(recording, get('debian', 'x'))).length).toBe(0)
    ours.destroy()
    theirs.destroy()
    await once(theirs, 'close')
    expect(await heads(recording, get('debian', 'x'))).toBe('HTTP/1.1 404 Not Found')
  })

  it('may be any bytes without harm', async () => {
    await using mirror = await testMirror()
    await using recording = live(mirror, memoryBlobs())
    const line = fc.oneof(
      fc.constantFrom(
        'GET ',
        'HTTP/1.1\r\n',
        '\r\n\r\n',
        'Host: x\r\n',
        'http://archive.invalid/debian/x ',
        'Content-Length: 9\r\n',
        '\0',
        'CONNECT ',
      ),
      fc.string({ maxLength: 20 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (parts) => {
        const [ours, theirs] = duplexPair()
        recording.accept(theirs)
        ours.on('error', () => {})
        ours.resume()
        ours.end(parts.join(''), 'latin1')
        if (!theirs.destroyed) await once(theirs, 'close')
      }),
      { numRuns: 200 },
    )
    expect(await heads(recording, get('debian', 'y'))).toBe('HTTP/1.1 404 Not Found')
  })
})

describe('a body under way', () => {
  it('reaches the build in one piece when the mirror breaks off and comes back', async () => {
    await using mirror = await testMirror()
    mirror.on('file', (_, response, call) => {
      response.writeHead(200, { 'Content-Length': BODY.length })
      if (call === 1) response.write(BODY.subarray(0, 150_000), () => response.destroy())
      else response.end(BODY)
    })
    await using recording = live(mirror, memoryBlobs())
    expect(split(await rawExchange(recording, get('debian', 'file'))).body.equals(BODY)).toBe(true)
    expect(recording.failures()).toEqual([])
    expect(mirror.asked).toEqual(['file', 'file'])
  })

  it('never ends well when the mirror comes back with other bytes', async () => {
    await using mirror = await testMirror()
    mirror.on('file', (_, response, call) => {
      response.writeHead(200, { 'Content-Length': BODY.length })
      if (call === 1) response.write(BODY.subarray(0, 150_000), () => response.destroy())
      else response.end(Buffer.alloc(BODY.length, 'z'))
    })
    await using recording = live(mirror, memoryBlobs())
    expect(split(await rawExchange(recording, get('debian', 'file'))).body.length).toBeLessThan(BODY.length)
    expect(recording.failures()).toMatchObject([{ code: 'input-unavailable', path: 'file' }])
    expect(await recording.finish()).toMatchObject({ inputs: [] })
  })

  it('is not taken for whole by the build before it is stored', async () => {
    await using mirror = await testMirror()
    mirror.on('file', BODY)
    const full: BlobStore = {
      ...memoryBlobs(),
      async put(bytes) {
        for await (const _ of bytes);
        throw new Error('no space left')
      },
    }
    await using recording = live(mirror, full)
    const { head, body } = split(await rawExchange(recording, get('debian', 'file')))
    expect(head).toContain(`Content-Length: ${BODY.length}`)
    expect(body.length).toBeLessThan(BODY.length)
    expect(recording.failures()).toMatchObject([{ code: 'input-unavailable', message: 'the body could not be stored' }])
  })

  it('must be what a name by hash says, or another mirror is no help and the build sees no end of it', async () => {
    await using mirror = await testMirror()
    const path = `dists/x/by-hash/SHA256/${digestOf('good')}`
    mirror.on(path, 'evil')
    await using recording = live(mirror, memoryBlobs())
    expect(split(await rawExchange(recording, get('debian', path))).body.length).toBeLessThan(4)
    expect(recording.failures()).toMatchObject([{ code: 'input-differs', expected: digestOf('good'), actual: digestOf('evil') }])
    mirror.on(path, 'good')
    expect(split(await rawExchange(recording, get('debian', path))).body.toString()).toBe('good')
    expect(recording.failures()).toEqual([])
  })

  it('is fetched once however many ask, and stays what it was first', async () => {
    await using mirror = await testMirror()
    mirror.on('file', (_, response, call) => void response.writeHead(200, { 'Content-Length': 1 }).end(String(call)))
    mirror.on('chunked', (_, response, call) => void response.write('body', () => response.end(String(call))))
    await using recording = live(mirror, memoryBlobs())
    for (const [path, body] of [
      ['file', '1'],
      ['chunked', 'body1'],
    ] as const) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => rawExchange(recording, get('debian', path))))
      answers.push(await rawExchange(recording, get('debian', path)))
      expect(answers.map((answer) => split(answer).body.toString())).toEqual(Array(9).fill(body))
      expect(new Set(answers.map((answer) => answer.toString())).size).toBe(1)
    }
    expect(mirror.asked).toEqual(['file', 'chunked'])
  })

  it('is recorded though the build went away, and others wait for no one who does not read', async () => {
    await using mirror = await testMirror()
    const large = Buffer.alloc(20 << 20, 'x')
    mirror.on('large', large)
    mirror.on('file', BODY)
    await using recording = live(mirror, memoryBlobs(), { transfers: 1 })
    const [ours, theirs] = duplexPair()
    recording.accept(theirs)
    ours.write(get('debian', 'large'))
    await once(ours, 'readable')
    theirs.destroy()
    ours.destroy()
    expect(split(await rawExchange(recording, get('debian', 'file'))).body.equals(BODY)).toBe(true)
    expect((await recording.finish()).inputs.map(({ path }) => path).toSorted()).toEqual(['file', 'large'])
  })

  it('keeps its turn among pipelined requests whatever the mirror answers first', async () => {
    await using mirror = await testMirror()
    const paths = Array.from({ length: 12 }, (_, i) => `pool/${i}`)
    const waiting: (() => void)[] = []
    for (const path of paths)
      mirror.on(path, (_, response) => {
        waiting.push(() => void response.writeHead(200, { 'Content-Length': path.length }).end(path))
        // Those that came last are answered first.
        if (waiting.length === 3) for (const answer of waiting.splice(0).toReversed()) answer()
      })
    await using recording = live(mirror, memoryBlobs(), { transfers: 3 })
    const requests = paths.map((path, i) => (i < 11 ? get('debian', path).replace('Connection: close\r\n', '') : get('debian', path)))
    const answer = (await rawExchange(recording, requests.join(''))).toString()
    const bodies = answer.split(/HTTP\/1\.1 200 OK\r\n(?:[^\r]+\r\n)*\r\n/).slice(1)
    expect(bodies).toEqual(paths)
  })
})

it('asks again for what could not be had, and then knows of no failure', async () => {
  await using mirror = await testMirror()
  mirror.on(
    'file',
    (_, response, call) => void (call <= 3 ? response.writeHead(503).end() : response.writeHead(200, { 'Content-Length': 2 }).end('ok')),
  )
  await using recording = live(mirror, memoryBlobs())
  expect(await heads(recording, get('debian', 'file'))).toBe('HTTP/1.1 502 input-unavailable')
  expect(recording.failures()).toMatchObject([{ code: 'input-unavailable', message: 'a mirror answered 503' }])
  expect(await heads(recording, get('debian', 'file'))).toBe('HTTP/1.1 200 OK')
  expect(recording.failures()).toEqual([])
})

it('asks the next mirror where the first is down, and takes the first answer that there is no such file', async () => {
  await using down = await testMirror()
  await using up = await testMirror()
  down.on('file', (request) => void request.socket.destroy())
  up.on('file', 'from the second')
  up.on('gone', 'from the second')
  const mirrors = new Map([['debian', [down.url, up.url]]])
  await using recording = recordInputs({ mirrors, blobs: memoryBlobs(), architecture: 'amd64', snapshot: null })
  expect(split(await rawExchange(recording, get('debian', 'file'))).body.toString()).toBe('from the second')
  expect(await heads(recording, get('debian', 'gone'))).toBe('HTTP/1.1 404 Not Found')
  expect((await recording.finish()).absent).toEqual([{ archive: 'debian', path: 'gone' }])
})

it('stops what is under way when the build is over, and locks only what is whole', async () => {
  await using mirror = await testMirror()
  const asked = new Promise<void>((resolve) => mirror.on('never', () => resolve()))
  mirror.on('file', BODY)
  await using recording = live(mirror, memoryBlobs(), { stallMs: 60_000 })
  await rawExchange(recording, get('debian', 'file'))
  const hanging = rawExchange(recording, get('debian', 'never'))
  await asked
  const lock = await recording.finish()
  expect((await hanging).length).toBe(0)
  expect(lock.inputs.map(({ path }) => path)).toEqual(['file'])
  expect(recording.failures()).toEqual([])
  expect((await rawExchange(recording, get('debian', 'file'))).length).toBe(0)
})

it('serves a program beside us on an address of this machine only', async () => {
  await using mirror = await testMirror()
  mirror.on('file', BODY)
  await using recording = live(mirror, memoryBlobs())
  const { port } = await recording.listen()
  const socket = connect(port, '127.0.0.1')
  socket.write(get('debian', 'file'))
  const parts: Buffer[] = []
  for await (const part of socket) parts.push(part as Buffer)
  expect(split(Buffer.concat(parts)).body.equals(BODY)).toBe(true)
})

it('says of an archive of the profile that it has no mirror, for that is no mistake of the build', async () => {
  await using recording = recordInputs({ mirrors: new Map(), blobs: memoryBlobs(), architecture: 'amd64', snapshot: null })
  expect(await heads(recording, get('debian-security', 'x'))).toBe('HTTP/1.1 502 input-unavailable')
  expect(recording.failures()).toMatchObject([{ code: 'input-unavailable', archive: 'debian-security', path: 'x' }])
})

describe('a replay', () => {
  it('names what the build asks for and the lock does not', async () => {
    await using mirror = await testMirror()
    await using recording = live(mirror, memoryBlobs())
    await using replay = replayInputs({ lock: await recording.finish(), blobs: memoryBlobs() })
    expect(await heads(replay, get('debian', 'new'))).toBe('HTTP/1.1 404 Not Found')
    expect(replay.failures()).toMatchObject([{ code: 'input-unavailable', archive: 'debian', path: 'new', expected: null }])
  })

  it('names what is missing or damaged in the store, with digests, and never hands out the whole of it', async () => {
    await using mirror = await testMirror()
    mirror.on('file', BODY)
    const blobs = memoryBlobs()
    await using recording = live(mirror, blobs)
    await rawExchange(recording, get('debian', 'file'))
    const lock = await recording.finish()
    const expected = digestOf(BODY)
    const damaged = Buffer.from(BODY)
    damaged[0] = 0
    for (const [stored, code, actual] of [
      [undefined, 'input-unavailable', null],
      [damaged, 'input-differs', digestOf(damaged)],
      [BODY.subarray(1), 'input-differs', digestOf(BODY.subarray(1))],
    ] as const) {
      if (stored === undefined) blobs.bytes.delete(expected)
      else blobs.bytes.set(expected, stored)
      await using replay = replayInputs({ lock, blobs })
      expect(split(await rawExchange(replay, get('debian', 'file'))).body.length).toBeLessThan(BODY.length)
      expect(replay.failures()).toMatchObject([{ code, archive: 'debian', path: 'file', expected, actual }])
    }
  })

  it('gives back the lock that it was given', async () => {
    await using mirror = await testMirror()
    mirror.on('b', 'b')
    mirror.on('a', 'a')
    const blobs = memoryBlobs()
    await using recording = live(mirror, blobs)
    for (const path of ['b', 'c', 'a']) await rawExchange(recording, get('debian', path))
    const lock = await recording.finish()
    await using replay = replayInputs({ lock, blobs })
    expect(encodeLock(await replay.finish())).toBe(encodeLock(lock))
  })
})
