import { expect, it } from 'vitest'
import { digestOf } from '../../bytes/digest-of.ts'
import { encodeLock } from '../../model/lock.ts'
import { recordInputs } from './record.ts'
import { replayInputs } from './replay.ts'
import { memoryBlobs } from './testing/memory-blobs.ts'
import { get, rawExchange, split } from './testing/raw-client.ts'
import { testMirror } from './testing/test-mirror.ts'

it('answers a replay with the very bytes of the recorded build', async () => {
  await using mirror = await testMirror()
  const blobs = memoryBlobs()
  mirror.on('pool/main/a/a_1_amd64.deb', Buffer.alloc(300_000, 'a'))
  mirror.on('pool/main/c++/libstdc++6_12~rc1_amd64.deb', 'plus and tilde')
  mirror.on('dists/x/empty', '')
  const requests = [
    get('debian', 'pool/main/a/a_1_amd64.deb'),
    get('debian', 'pool/main/a/a_1_amd64.deb', 'Range: bytes=100-\r\nIf-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT\r\n'),
    get('debian', 'pool/main/c%2b%2b/libstdc%2B%2b6_12%7erc1_amd64.deb'),
    get('debian', 'dists/x/empty'),
    get('debian', 'dists/x/none'),
    get('debian', 'pool/main/a/a_1_amd64.deb').replace('GET', 'HEAD'),
  ]
  await using live = recordInputs({ mirrors: new Map([['debian', [mirror.url]]]), blobs, architecture: 'amd64', snapshot: null })
  const recorded: Buffer[] = []
  for (const request of requests) recorded.push(await rawExchange(live, request))
  const lock = await live.finish()
  await using replay = replayInputs({ lock, blobs })
  const replayed: Buffer[] = []
  for (const request of requests) replayed.push(await rawExchange(replay, request))
  expect(replayed).toEqual(recorded)
  expect(split(recorded[1] ?? Buffer.alloc(0))).toEqual({
    head: 'HTTP/1.1 200 OK\r\nContent-Length: 300000\r\nConnection: close',
    body: Buffer.alloc(300_000, 'a'),
  })
  expect(split(recorded[2] ?? Buffer.alloc(0)).body.toString()).toBe('plus and tilde')
  expect(split(recorded[4] ?? Buffer.alloc(0)).head).toBe('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close')
  expect(live.failures()).toEqual([])
  expect(replay.failures()).toEqual([])
  expect(mirror.asked).toHaveLength(4)
  expect(JSON.parse(encodeLock(lock))).toEqual({
    schema: 'bitwitness/input-lock/v1',
    architecture: 'amd64',
    snapshot: null,
    inputs: [
      { kind: 'index', archive: 'debian', path: 'dists/x/empty', sha256: digestOf(''), size: 0 },
      expect.objectContaining({ kind: 'package', name: 'a', version: '1', architecture: 'amd64', size: 300_000 }),
      expect.objectContaining({ path: 'pool/main/c++/libstdc++6_12~rc1_amd64.deb', version: '12~rc1' }),
    ],
    absent: [{ archive: 'debian', path: 'dists/x/none' }],
  })
})
