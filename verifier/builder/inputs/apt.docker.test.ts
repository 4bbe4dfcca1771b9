import { beforeAll, describe, expect, it } from 'vitest'
import { digestOf } from '../../bytes/digest-of.ts'
import { encodeLock, type InputLock } from '../../model/lock.ts'
import { readAptMirrors } from './apt-mirrors.ts'
import type { InputProxy } from './input-proxy.ts'
import { snapshotMirrors } from './mirrors.ts'
import { recordInputs } from './record.ts'
import { replayInputs } from './replay.ts'
import { aptRoot } from './testing/apt-root.ts'
import { type MemoryBlobs, memoryBlobs } from './testing/memory-blobs.ts'
import { testMirror } from './testing/test-mirror.ts'

// Real apt, real signatures; the packages come from this host's own mirror once, and then never again.
const SNAPSHOT = '20241201T000000Z'

async function build(
  proxy: InputProxy,
): Promise<{ exit: number | null; output: string; lists: Map<string, string>; debs: Map<string, string> }> {
  await using root = await aptRoot('bookworm')
  const { port } = await proxy.listen()
  const update = await root.apt(port, 'update', '--error-on=any')
  const download = update.exit === 0 ? await root.apt(port, 'download', 'hello', 'libstdc++6') : update
  return { exit: download.exit, output: update.output + download.output, lists: await root.lists(), debs: await root.debs() }
}

describe('a recorded apt', () => {
  const blobs = memoryBlobs()
  let lock: InputLock
  let liveFailures: ReturnType<InputProxy['failures']>
  let recorded: Awaited<ReturnType<typeof build>>

  beforeAll(async () => {
    await using live = recordInputs({ mirrors: await readAptMirrors(), blobs, architecture: 'amd64', snapshot: null })
    recorded = await build(live)
    lock = await live.finish()
    liveFailures = live.failures()
  })

  it('builds from the mirrors that this host uses', () => {
    expect(liveFailures).toEqual([])
    expect(recorded).toMatchObject({ exit: 0 })
  })

  const find = (pattern: RegExp): InputLock['inputs'][number] => {
    const input = lock.inputs.find(({ path: address }) => pattern.test(address))
    if (input === undefined) throw new Error(`the lock has nothing like ${pattern.source}`)
    return input
  }

  /** The same lock with a body that somebody changed, digest and all: only Debian's signatures can tell. */
  const forged = (input: InputLock['inputs'][number]): { lock: InputLock; blobs: MemoryBlobs } => {
    const changed = Buffer.from(blobs.bytes.get(input.sha256) ?? Buffer.alloc(0))
    // Of a clear-signed index a letter in the signed text, of anything else a byte in the middle.
    const at = input.kind === 'release' ? changed.indexOf('Origin: Debian') + 8 : changed.length >> 1
    changed[at] = (changed[at] ?? 0) ^ 1
    const other = memoryBlobs()
    for (const [sha256, bytes] of blobs.bytes) other.bytes.set(sha256, bytes)
    const sha256 = digestOf(changed)
    other.bytes.set(sha256, changed)
    return { lock: { ...lock, inputs: lock.inputs.map((entry) => (entry === input ? { ...entry, sha256 } : entry)) }, blobs: other }
  }

  it('names releases by suite and date, and packages as the signed index does', () => {
    const releases = lock.inputs.flatMap((input) => (input.kind === 'release' ? [`${input.archive} ${input.codename}`] : []))
    expect(releases.toSorted()).toEqual(['debian bookworm', 'debian bookworm-updates', 'debian-security bookworm-security'])
    expect(find(/libstdc\+\+6_/)).toMatchObject({ kind: 'package', name: 'libstdc++6', architecture: 'amd64' })
    expect(find(/\/InRelease$/)).toMatchObject({ date: expect.stringMatching(/^20\d\d-.*Z$/) })
    expect(JSON.stringify(lock)).not.toMatch(/https?:/)
  })

  it('gets the same lists and packages from a replay, without any mirror', async () => {
    await using replay = replayInputs({ lock, blobs })
    const replayed = await build(replay)
    expect(replayed).toMatchObject({ exit: 0 })
    expect(replay.failures()).toEqual([])
    expect(replay.stats().bytes).toBeGreaterThan(8_000_000)
    expect(replayed.lists).toEqual(recorded.lists)
    expect(replayed.debs).toEqual(recorded.debs)
    expect(replayed.debs.size).toBe(2)
  })

  it.each([
    ['a signed index', /^dists\/bookworm\/InRelease$/, /BADSIG|signatures? (were|was|couldn't be) (invalid|verified)|is not signed/i],
    ['a package index', /by-hash/, /Hash Sum mismatch/],
    ['a package', /hello_.*\.deb$/, /Hash Sum mismatch/],
  ])('fails over one flipped byte in %s, whatever the lock says', async (_, pattern, complaint) => {
    const forgery = forged(find(pattern))
    await using replay = replayInputs(forgery)
    const { exit, output } = await build(replay)
    expect(exit).toBe(100)
    expect(output).toMatch(complaint)
  })

  it('fails over one damaged byte on the disk before apt sees the whole', async () => {
    const input = find(/hello_.*\.deb$/)
    const { lock: altered, blobs: other } = forged(input)
    const damaged = altered.inputs.find(({ path: address }) => address === input.path)
    other.bytes.set(input.sha256, other.bytes.get(damaged?.sha256 ?? '') ?? Buffer.alloc(0))
    await using replay = replayInputs({ lock, blobs: other })
    expect((await build(replay)).exit).toBe(100)
    expect(replay.failures()).toMatchObject([{ code: 'input-differs', expected: input.sha256, actual: damaged?.sha256 }])
  })

  it('takes the same inputs from an archive of dated archives', async () => {
    await using dated = await testMirror()
    for (const { archive, path: address, sha256 } of lock.inputs)
      dated.on(`archive/${archive}/${SNAPSHOT}/${address}`, blobs.bytes.get(sha256) ?? '')
    const mirrors = snapshotMirrors(dated.url, SNAPSHOT)
    await using live = recordInputs({ mirrors, blobs: memoryBlobs(), architecture: 'amd64', snapshot: SNAPSHOT })
    const built = await build(live)
    expect(built).toMatchObject({ exit: 0 })
    expect(encodeLock(await live.finish())).toBe(encodeLock({ ...lock, snapshot: SNAPSHOT }))
    expect(built.lists).toEqual(recorded.lists)
  })
})
