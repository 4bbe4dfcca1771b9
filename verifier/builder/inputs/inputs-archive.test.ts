import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { digestOf } from '../../bytes/digest-of.ts'
import { encodeLock, type InputLock } from '../../model/lock.ts'
import { encodeTarHeader, endPadding } from '../../tar/encode.ts'
import { rawMember, rawPax, rawTar } from '../../tar/testing/raw-tar.ts'
import { readInputsArchive, writeInputsArchive } from './inputs-archive.ts'
import { parseLock } from './parse-lock.ts'
import { memoryBlobs } from './testing/memory-blobs.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'inputs-archive-'))
})
afterEach(() => rm(dir, { recursive: true }))

const bodies = ['a body', '', 'x'.repeat(2_000_000)]

function lockOf(...contents: readonly string[]): InputLock {
  const inputs = contents.map((body, i) => ({
    kind: 'index' as const,
    archive: 'debian',
    path: `dists/x/${i}`,
    sha256: digestOf(body),
    size: Buffer.byteLength(body),
  }))
  return { schema: 'bitwitness/input-lock/v1', architecture: 'amd64', snapshot: null, inputs, absent: [] }
}

async function* one(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

async function stored(...contents: readonly string[]): Promise<ReturnType<typeof memoryBlobs>> {
  const blobs = memoryBlobs()
  for (const body of contents) await blobs.put(one(body))
  return blobs
}

/** A tar of any files, as a stranger would make one. */
async function tar(...files: readonly (readonly [name: string, body: string])[]): Promise<string> {
  const parts: Uint8Array[] = []
  for (const [name, body] of files) {
    const size = Buffer.byteLength(body)
    const facts = { mode: 0o644, uid: 0, gid: 0, mtime: '0', linkPath: null, device: null, xattrs: [] }
    parts.push(encodeTarHeader({ path: Buffer.from(name), type: 'file', size, ...facts }), Buffer.from(body), Buffer.alloc(-size & 511))
  }
  const bytes = Buffer.concat(parts)
  const file = path.join(dir, 'foreign.tar')
  await writeFile(file, Buffer.concat([bytes, Buffer.alloc(endPadding(bytes.length))]))
  return file
}

it('brings lock and bodies to another store, in the same bytes each time', async () => {
  const lock = lockOf(...bodies, 'a body')
  const written = await Promise.all(
    ['one.tar', 'two.tar'].map(async (name) => writeInputsArchive({ lock, blobs: await stored(...bodies), path: path.join(dir, name) })),
  )
  expect(written[0]).toEqual(written[1])
  expect(written[0]?.sha256).toBe(digestOf(await readFile(path.join(dir, 'two.tar'))))
  expect((await readdir(dir)).toSorted()).toEqual(['one.tar', 'two.tar'])
  const blobs = memoryBlobs()
  expect(await readInputsArchive({ path: path.join(dir, 'one.tar'), blobs })).toEqual(parseLock(encodeLock(lock)))
  expect([...blobs.bytes.keys()].toSorted()).toEqual(bodies.map(digestOf).toSorted())
})

it('leaves no file when a body is missing', async () => {
  const writing = writeInputsArchive({ lock: lockOf(...bodies), blobs: await stored('a body'), path: path.join(dir, 'inputs.tar') })
  await expect(writing).rejects.toMatchObject({ code: 'blob-missing' })
  expect(await readdir(dir)).toEqual([])
})

it('says which inputs an archive lacks, and asks for none that the store has', async () => {
  const lock = lockOf('one', 'two')
  const file = await tar(['inputs.lock.json', encodeLock(lock)], [`blobs/sha256/${digestOf('one')}`, 'one'])
  await expect(readInputsArchive({ path: file, blobs: memoryBlobs() })).rejects.toMatchObject({
    code: 'inputs-archive-incomplete',
    data: { missing: [digestOf('two')] },
  })
  expect(await readInputsArchive({ path: file, blobs: await stored('two') })).toEqual(lock)
})

it.each([
  ['no lock', [['blobs/sha256/x', 'y']], 'inputs-archive-malformed'],
  ['a lock under another name', [['lock.json', '{}']], 'inputs-archive-malformed'],
  ['a lock that is no JSON', [['inputs.lock.json', '{']], 'input-lock-malformed'],
  [
    'a body that the lock does not name',
    [
      ['inputs.lock.json', encodeLock(lockOf('one'))],
      [`blobs/sha256/${digestOf('two')}`, 'two'],
    ],
    'inputs-archive-malformed',
  ],
  [
    'a body of another size',
    [
      ['inputs.lock.json', encodeLock(lockOf('one'))],
      [`blobs/sha256/${digestOf('one')}`, 'longer'],
    ],
    'inputs-archive-malformed',
  ],
  [
    'other bytes than its name says',
    [
      ['inputs.lock.json', encodeLock(lockOf('one'))],
      [`blobs/sha256/${digestOf('one')}`, 'two'],
    ],
    'blob-differs',
  ],
  [
    'a name that climbs',
    [
      ['inputs.lock.json', encodeLock(lockOf('one'))],
      ['../../etc/passwd', 'one'],
    ],
    'tar-path-not-normal',
  ],
  [
    'a name beside the blobs',
    [
      ['inputs.lock.json', encodeLock(lockOf('one'))],
      [`blobs/sha256/x/${digestOf('one')}`, 'one'],
    ],
    'inputs-archive-malformed',
  ],
] as const)('refuses an archive with %s, and stores nothing of it', async (_, files, code) => {
  const blobs = memoryBlobs()
  await expect(readInputsArchive({ path: await tar(...files), blobs })).rejects.toMatchObject({ code })
  expect(blobs.bytes.size).toBe(0)
})

it('fills no holes: a small archive writes no more than it is large', async () => {
  const hole = Buffer.alloc(1 << 20)
  const sha256 = digestOf(hole)
  const lock = encodeLock(lockOf(hole.toString('latin1')))
  const keys = [
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', `blobs/sha256/${sha256}`],
    ['GNU.sparse.realsize', String(hole.length)],
  ] as const
  const sparse = [rawPax(keys), rawMember({ name: `blobs/sha256/GNUSparseFile.1/${sha256}` }, '0\n'.padEnd(512, '\0'))]
  const file = path.join(dir, 'holes.tar')
  await writeFile(file, rawTar(rawMember({ name: 'inputs.lock.json' }, lock), ...sparse))
  const blobs = memoryBlobs()
  await expect(readInputsArchive({ path: file, blobs })).rejects.toMatchObject({ code: 'tar-sparse-unsupported' })
  expect(blobs.bytes.size).toBe(0)
})

it('can be stopped while it reads', async () => {
  const file = path.join(dir, 'inputs.tar')
  await writeInputsArchive({ lock: lockOf(...bodies), blobs: await stored(...bodies), path: file })
  const stop = new AbortController()
  const blobs = memoryBlobs()
  const put = blobs.put.bind(blobs)
  const stopping = {
    ...blobs,
    put: (...given: Parameters<typeof put>) => {
      stop.abort()
      return put(...given)
    },
  }
  await expect(readInputsArchive({ path: file, blobs: stopping, signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' })
  expect(blobs.bytes.size).toBeLessThan(bodies.length)
})

it('refuses an archive that is cut, empty, or no tar at all', async () => {
  const blobs = await stored(...bodies)
  const file = path.join(dir, 'inputs.tar')
  await writeInputsArchive({ lock: lockOf(...bodies), blobs, path: file })
  const whole = await readFile(file)
  for (const part of [whole.subarray(0, 700_000), Buffer.alloc(0), Buffer.from('GIF89a'.repeat(1000))]) {
    await writeFile(file, part)
    await expect(readInputsArchive({ path: file, blobs: memoryBlobs() })).rejects.toMatchObject({
      code: expect.stringMatching(/^(tar|inputs)-/),
    })
  }
})

it.each([
  ['unsorted', (lock: InputLock) => `${JSON.stringify({ ...lock, inputs: lock.inputs.toReversed() }, null, 1)}\n`],
  ['otherwise indented', (lock: InputLock) => JSON.stringify(lock)],
  ['with an unknown key', (lock: InputLock) => `${JSON.stringify({ ...lock, more: 1 }, null, 1)}\n`],
  [
    'with two bodies at one address',
    (lock: InputLock) => encodeLock({ ...lock, inputs: lock.inputs.map((input) => ({ ...input, path: 'same' })) }),
  ],
  [
    'with an address both present and absent',
    (lock: InputLock) => encodeLock({ ...lock, absent: [{ archive: 'debian', path: 'dists/x/0' }] }),
  ],
  [
    'with two sizes of one body',
    (lock: InputLock) => encodeLock({ ...lock, inputs: lock.inputs.map((input) => ({ ...input, sha256: digestOf('') })) }),
  ],
  ['with a path that climbs', (lock: InputLock) => encodeLock(lock).replace('dists/x/0', 'dists/../0')],
])('refuses a lock %s', (_, write) => {
  expect(() => parseLock(write(lockOf('one', 'other')))).toThrow(expect.objectContaining({ code: 'input-lock-malformed' }))
})

it('says of a file that is not there that it cannot be read', async () => {
  await expect(readInputsArchive({ path: path.join(dir, 'absent.tar'), blobs: memoryBlobs() })).rejects.toMatchObject({
    code: 'file-unreadable',
    message: expect.stringContaining('absent.tar'),
  })
})
