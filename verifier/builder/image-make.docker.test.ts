import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestOf } from '../bytes/digest-of.ts'
import type { BlobStore } from '../model/blob-store.ts'
import type { InputLock } from '../model/lock.ts'
import { builderArchive, builderTag, exportBuilder, readBlob } from './image-archive.ts'
import { type BuilderImage, encodeBuilder } from './image-description.ts'
import { importBuilder } from './image-import.ts'
import { type MakeBuilderOptions, makeBuilder } from './image-make.ts'
import { openBuilderStore } from './image-store.ts'
import { readAptMirrors } from './inputs/apt-mirrors.ts'
import { parseLock } from './inputs/parse-lock.ts'
import { recordInputs } from './inputs/record.ts'
import { replayInputs } from './inputs/replay.ts'
import { memoryBlobs } from './inputs/testing/memory-blobs.ts'

const DEFINITION = fileURLToPath(new URL('../../mkosi/builder', import.meta.url))

let dir = ''
const blobs = memoryBlobs()
let builder: BuilderImage
let lock: InputLock
let heldBefore = true
const log: string[] = []

async function make(proxy: MakeBuilderOptions['proxy'], o: Partial<MakeBuilderOptions> = {}): Promise<BuilderImage> {
  const workDir = path.join(dir, 'work')
  await mkdir(workDir, { recursive: true })
  const made = await makeBuilder({
    definition: DEFINITION,
    mkosi: null,
    proxy,
    lock: null,
    blobs,
    workDir,
    emit: (event) => event.kind === 'log' && log.push(event.line),
    ...o,
  })
  expect(await readdir(workDir)).toEqual([])
  return made
}

async function docker(args: readonly string[], input?: AsyncIterable<Uint8Array>): Promise<string> {
  const { stdout } = await execa('docker', args, input === undefined ? {} : { input: Readable.from(input, { objectMode: false }) })
  return stdout
}

async function inside(...command: readonly string[]): Promise<string> {
  return await docker([
    'run',
    '--rm',
    '--network',
    'none',
    '--read-only',
    '--tmpfs',
    '/tmp',
    '--user',
    '0',
    `sha256:${builder.digest}`,
    ...command,
  ])
}

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'bitwitness-builder-'))
  await using proxy = recordInputs({ mirrors: await readAptMirrors(), blobs, architecture: 'amd64', snapshot: null })
  builder = await make(proxy)
  lock = parseLock((await readBlob(blobs, builder.lock)).toString('utf8'))
  heldBefore = (await docker(['image', 'ls', '--no-trunc', '--quiet'])).includes(builder.digest)
  await docker(['load', '--quiet'], builderArchive(builder, blobs))
})

afterAll(async () => {
  // Equal builders are one image: what the engine held already belongs to somebody else.
  if (!heldBefore) await docker(['image', 'rm', `sha256:${builder.digest}`]).catch(() => '')
  await rm(dir, { recursive: true, force: true })
})

test('the builder is the one that its description and lock say', async () => {
  expect(builder).toMatchObject({ mkosi: '25.3', suite: 'trixie', architecture: 'amd64' })
  expect(lock.inputs.filter((input) => input.kind === 'release').map(({ suite }) => suite)).toEqual(
    expect.arrayContaining(['stable', 'stable-security', 'stable-updates']),
  )
  expect(encodeBuilder(builder)).not.toMatch(/https?:/)
  expect(log.join('\n')).toContain('http://archive.invalid/debian')
})

test('from its lock alone, with no mirror and under another umask, locale and folder, it is made again bit for bit', async () => {
  const umask = process.umask(0o077)
  try {
    await using proxy = replayInputs({ lock, blobs })
    const workDir = path.join(dir, 'other work')
    await mkdir(workDir)
    expect(await make(proxy, { lock, workDir, mkosi: '25.3' })).toEqual(builder)
    expect(proxy.failures()).toEqual([])
  } finally {
    process.umask(umask)
  }
})

test('the engine names it by its digest', async () => {
  expect(await docker(['image', 'inspect', '--format', '{{.Id}} {{.RootFS.Layers}}', `sha256:${builder.digest}`])).toBe(
    `sha256:${builder.digest} [sha256:${builder.layer.sha256}]`,
  )
})

test('the loaded image has its user, its file capabilities, no setuid file and the wanted mkosi', async () => {
  expect(await inside('id', 'builder')).toBe('uid=1000(builder) gid=1000(builder) groups=1000(builder)')
  expect(await inside('cat', '/etc/subuid', '/etc/subgid')).toBe('builder:100000:65536\nbuilder:100000:65536')
  expect((await inside('getcap', '-r', '/')).split('\n').toSorted()).toEqual([
    '/usr/bin/newgidmap cap_setgid=ep',
    '/usr/bin/newuidmap cap_setuid=ep',
  ])
  expect(await inside('find', '/', '-xdev', '-perm', '/6000')).toBe('')
  expect(await inside('mkosi', '--version')).toMatch(/^mkosi 25\.3\b/)
  expect(await inside('stat', '--format', '%a %u:%g', '/usr/lib/bitwitness/agent.py', '/work')).toBe('755 0:0\n755 1000:1000')
})

test('nothing of host, mirror or clock is left inside', async () => {
  const empty = ['/etc/apt/sources.list.d', '/etc/apt/preferences.d', '/var/log', '/var/cache', '/var/lib/apt', '/tmp', '/var/tmp']
  expect(await inside('find', ...empty, '-type', 'f')).toBe('')
  expect(await inside('find', '/etc', '/usr', '-name', '*mmdebstrap*')).toBe('')
  expect(
    await inside('sh', '-c', 'grep -rlE "archive[.]invalid|127[.]0[.]0[.]1:[0-9]" /etc/apt /etc/dpkg /usr/lib/bitwitness || true'),
  ).toBe('')
  expect(await inside('find', '/usr', '/var', '/home', '-xdev', '-newermt', '@1754697600')).toBe('')
})

test('exported with its inputs it is imported elsewhere, loaded from the file, and can be made again there', async () => {
  const file = path.join(dir, 'builder.tar')
  await exportBuilder({ builder, blobs, path: file, inputs: true })
  const there = memoryBlobs()
  const store = await openBuilderStore(path.join(dir, 'builders'), there)
  expect(await importBuilder({ path: file, blobs: there, store })).toEqual({ builder, inputs: true })
  for (const { sha256, size } of lock.inputs) expect(await there.size(sha256)).toBe(size)
  expect(await docker(['load', '--quiet', '--input', file])).toBe(`Loaded image: ${builderTag(builder)}`)
  expect(await docker(['image', 'inspect', '--format', '{{.Id}}', `sha256:${builder.digest}`])).toBe(`sha256:${builder.digest}`)
})

test('an index that Debian did not sign ends it, whichever mirror serves it', async () => {
  const release = lock.inputs.find((input) => input.kind === 'release' && input.codename === 'trixie')
  if (release === undefined) throw new Error('the lock has no signed index')
  const forged = (await readBlob(blobs, release.sha256)).toString('utf8').replace('Suite: stable', 'Suite: forged')
  await using mirror = createServer((request, response) => {
    response.statusCode = request.url?.endsWith('/dists/trixie/InRelease') === true ? 200 : 404
    response.end(response.statusCode === 200 ? forged : '')
  })
  await once(mirror.listen(0, '127.0.0.1'), 'listening')
  const url = new URL(`http://127.0.0.1:${(mirror.address() as AddressInfo).port}/`)
  await using proxy = recordInputs({ mirrors: new Map([['debian', [url]]]), blobs, architecture: 'amd64', snapshot: null })
  log.length = 0
  await expect(make(proxy)).rejects.toMatchObject({ code: expect.stringMatching(/^(builder-bootstrap-failed|input-)/) })
  expect(log.join('\n')).toMatch(/invalid signature|BADSIG|not signed/i)
})

test('an input that is gone is named', async () => {
  const index = lock.inputs.find((input) => input.kind === 'index')
  if (index === undefined) throw new Error('the lock has no index')
  const absent = digestOf('absent')
  const instead = (sha256: typeof absent): typeof absent => (sha256 === index.sha256 ? absent : sha256)
  const without: BlobStore = {
    ...plain(blobs),
    open: (sha256) => blobs.open(instead(sha256)),
    size: (sha256) => blobs.size(instead(sha256)),
  }
  await using proxy = replayInputs({ lock, blobs: without })
  await expect(make(proxy, { lock })).rejects.toMatchObject({
    code: 'input-unavailable',
    data: { archive: index.archive, path: index.path },
  })
})

test('cancelled, it ends at once and leaves nothing', async () => {
  await using proxy = replayInputs({ lock, blobs })
  const controller = new AbortController()
  const made = make(proxy, {
    lock,
    signal: controller.signal,
    emit: (event) => event.kind === 'log' && event.line.includes('extracting archives') && controller.abort(new Error('enough')),
  })
  await expect(made).rejects.toThrow('enough')
  expect(await readdir(path.join(dir, 'work'))).toEqual([])
})

function plain(store: BlobStore): BlobStore {
  return {
    put: (bytes, expected) => store.put(bytes, expected),
    open: (sha256) => store.open(sha256),
    size: (sha256) => store.size(sha256),
  }
}
