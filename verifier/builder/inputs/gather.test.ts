import { expect, it } from 'vitest'
import { digestOf } from '../../bytes/digest-of.ts'
import type { InputLock } from '../../model/lock.ts'
import { gatherInputs } from './gather.ts'
import type { InputLimits } from './input-proxy.ts'
import { memoryBlobs } from './testing/memory-blobs.ts'
import { type MirrorHandler, testMirror } from './testing/test-mirror.ts'

const BODY = 'body '.repeat(40_000)
const OTHER = 'other '.repeat(20_000)

function lockOf(...paths: readonly string[]): InputLock {
  const inputs = paths.map((path) => ({
    kind: 'index' as const,
    archive: 'debian',
    path,
    sha256: digestOf(path + BODY),
    size: path.length + BODY.length,
  }))
  return { schema: 'bitwitness/input-lock/v1', architecture: 'amd64', snapshot: null, inputs, absent: [] }
}

const quick: Partial<InputLimits> = { stallMs: 200, tries: 3 }

it('fetches what is missing and nothing else', async () => {
  await using mirror = await testMirror()
  const paths = Array.from({ length: 30 }, (_, i) => `lists/${i}`)
  for (const path of paths) mirror.on(path, path + BODY)
  const blobs = memoryBlobs()
  const have = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`lists/7${BODY}`)
  }
  await blobs.put(have())
  const progress: number[] = []
  const lock = lockOf(...paths)
  const failures = await gatherInputs({
    lock,
    blobs,
    mirrors: new Map([['debian', [mirror.url]]]),
    onProgress: (done, total) => progress.push(done / total),
  })
  expect(failures).toEqual([])
  expect(mirror.asked.toSorted()).toEqual(paths.filter((path) => path !== 'lists/7').toSorted())
  expect([...blobs.bytes.keys()].toSorted()).toEqual(lock.inputs.map(({ sha256 }) => sha256).toSorted())
  expect(progress.at(-1)).toBe(1)
})

const cutOff: MirrorHandler = (_, response) => {
  response.writeHead(200, { 'Content-Length': BODY.length + 4 })
  response.write(`file${BODY}`.slice(0, 1000), () => response.destroy())
}
const drip: MirrorHandler = (_, response) => {
  response.writeHead(200, { 'Content-Length': BODY.length + 4 })
  response.write('x')
}
const endless: MirrorHandler = (_, response) => {
  const chunk = Buffer.alloc(1 << 16)
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  }
  response.on('drain', more)
  response.writeHead(200)
  more()
}
const redirect =
  (location: string): MirrorHandler =>
  (_, response) =>
    void response.writeHead(302, { Location: location }).end()

it.each<[string, string | MirrorHandler | undefined, string, string | null]>([
  ['has lost it', undefined, 'input-unavailable', null],
  ['has other bytes', OTHER, 'input-differs', digestOf(OTHER)],
  ['has nothing in it', '', 'input-differs', digestOf('')],
  ['is overloaded', (_, response) => void response.writeHead(503).end(), 'input-unavailable', null],
  ['forbids it', (_, response) => void response.writeHead(403).end(), 'input-unavailable', null],
  ['answers with a part', (_, response) => void response.writeHead(206, { 'Content-Length': 3 }).end('abc'), 'input-unavailable', null],
  ['breaks off', cutOff, 'input-unavailable', null],
  ['never answers', () => {}, 'input-unavailable', null],
  ['falls silent', drip, 'input-unavailable', null],
  ['hangs up', (request) => void request.socket.destroy(), 'input-unavailable', null],
  ['speaks no HTTP', (request) => void request.socket.end('220 ready\r\n'), 'input-unavailable', null],
  ['sends without end', endless, 'input-differs', null],
  ['does not say where a body ends', (request) => void request.socket.end('HTTP/1.1 200 OK\r\n\r\nabc'), 'input-unavailable', null],
  ['redirects in a circle', redirect('/some/archive/file'), 'input-unavailable', null],
  ['redirects to a file of ours', redirect('file:///etc/passwd'), 'input-unavailable', null],
  ['redirects with a password', redirect('http://user:password@127.0.0.1/'), 'input-unavailable', null],
  ['redirects nowhere', (_, response) => void response.writeHead(302).end(), 'input-unavailable', null],
])('names an input and both digests where the mirror %s', async (_, answer, code, actual) => {
  await using mirror = await testMirror()
  if (answer !== undefined) mirror.on('file', answer)
  const blobs = memoryBlobs()
  const lock = lockOf('file')
  const mirrors = new Map([['debian', [mirror.url]]])
  const failures = await gatherInputs({ lock, blobs, mirrors, limits: quick, backoffMs: 1 })
  expect(failures).toEqual([
    { code, archive: 'debian', path: 'file', expected: lock.inputs[0]?.sha256, actual, message: expect.stringMatching(/./) },
  ])
  expect(blobs.bytes.size).toBe(0)
  expect(mirror.asked.length).toBeLessThan(20)
})

it.each<[string, string | MirrorHandler | undefined]>([
  ['has lost it', undefined],
  ['has other bytes', OTHER],
  ['breaks off', cutOff],
  ['sends without end', endless],
])('asks the next mirror where the first %s', async (_, answer) => {
  await using first = await testMirror()
  await using second = await testMirror()
  if (answer !== undefined) first.on('file', answer)
  second.on('file', `file${BODY}`)
  const mirrors = new Map([['debian', [first.url, second.url]]])
  expect(await gatherInputs({ lock: lockOf('file'), blobs: memoryBlobs(), mirrors, limits: quick, backoffMs: 1 })).toEqual([])
})

it('gets over a mirror that fails once and redirects within bounds', async () => {
  await using mirror = await testMirror()
  mirror.on('file', (request, response, call) =>
    call === 1 ? cutOff(request, response, call) : void response.writeHead(301, { Location: 'moved/file' }).end(),
  )
  mirror.on('moved/file', `file${BODY}`)
  const mirrors = new Map([['debian', [mirror.url]]])
  expect(await gatherInputs({ lock: lockOf('file'), blobs: memoryBlobs(), mirrors, limits: quick, backoffMs: 1 })).toEqual([])
})

it('follows no redirect from a mirror into a network that only we can reach', async () => {
  await using mirror = await testMirror()
  mirror.on('secret', `file${BODY}`)
  const places = ['localhost', '[::1]', '127.0.0.2', '169.254.169.254', '[::ffff:127.0.0.1]', '0x7f.1.1.1']
  for (const place of places) {
    mirror.on('file', redirect(`http://${place}:${mirror.url.port}/some/archive/secret`))
    const mirrors = new Map([['debian', [mirror.url]]])
    const failures = await gatherInputs({ lock: lockOf('file'), blobs: memoryBlobs(), mirrors, limits: quick, backoffMs: 1 })
    expect(failures).toMatchObject([{ code: 'input-unavailable', message: 'a redirect leads to an address that is not public' }])
  }
  expect(mirror.asked).not.toContain('secret')
})

it('says of an archive without mirrors that its inputs cannot be had', async () => {
  const failures = await gatherInputs({ lock: lockOf('file'), blobs: memoryBlobs(), mirrors: new Map() })
  expect(failures).toMatchObject([{ code: 'input-unavailable', message: 'no mirror is known for this archive' }])
})

it('stops at the bound of all bytes', async () => {
  await using mirror = await testMirror()
  for (const path of ['a', 'b', 'c']) mirror.on(path, path + BODY)
  const limits = { totalBytes: BODY.length + 10, transfers: 1 }
  const failures = await gatherInputs({
    lock: lockOf('a', 'b', 'c'),
    blobs: memoryBlobs(),
    mirrors: new Map([['debian', [mirror.url]]]),
    limits,
  })
  expect(failures.map(({ path, code }) => `${path} ${code}`)).toEqual(['b network-limit', 'c network-limit'])
})

it('ends with the reason of its signal, at once', async () => {
  await using mirror = await testMirror()
  const controller = new AbortController()
  mirror.on('a', () => controller.abort(new Error('enough')))
  const mirrors = new Map([['debian', [mirror.url]]])
  await expect(gatherInputs({ lock: lockOf('a', 'b'), blobs: memoryBlobs(), mirrors, signal: controller.signal })).rejects.toThrow('enough')
})
