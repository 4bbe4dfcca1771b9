import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createGzip, gzipSync, zstdCompressSync } from 'node:zlib'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { SourceLimits } from './limits.ts'
import { pinSource } from './pin-source.ts'
import type { PinnedTree } from './pinned-tree.ts'
import { OWN_ACCESS, parseSourceRef } from './source-ref.ts'
import { run } from './testing/programs.ts'
import { member, tar } from './testing/tar.ts'
import { isEmpty, temporary } from './testing/temporary.ts'

// They start programs, and share the machine with builds.
vi.setConfig({ testTimeout: 120_000 })

let folder: string
let scratch: string
beforeEach(async () => {
  folder = await temporary()
  scratch = await temporary()
})

async function pin(bytes: Uint8Array, o: { path?: string; limits?: Partial<SourceLimits>; name?: string } = {}): Promise<PinnedTree> {
  const file = path.join(folder, o.name ?? 'a.tar')
  await writeFile(file, bytes)
  const ref = parseSourceRef(o.path === undefined ? file : `${file}#:${o.path}`)
  return pinSource(ref, { scratch, access: OWN_ACCESS, limits: o.limits ?? {} })
}

async function pathsOf(bytes: Uint8Array, o: { path?: string } = {}): Promise<string[]> {
  await using tree = await pin(bytes, o)
  return tree.tree.entries.map((entry) => entry.path)
}

async function refusal(bytes: Uint8Array, o: Parameters<typeof pin>[1] = {}): Promise<string> {
  const error = await pin(bytes, o).then(
    () => ({ code: 'taken' }),
    (reason: unknown) => reason,
  )
  expect(await isEmpty(scratch)).toBe(true)
  return (error as { code: string }).code
}

describe('the folder that a forge wraps around', () => {
  it('is taken off where everything lies in it', async () => {
    expect(await pathsOf(tar({ path: 'app-1.0', type: 'directory' }, { path: 'app-1.0/mkosi.conf' }))).toEqual(['mkosi.conf'])
    expect(await pathsOf(tar({ path: 'app-1.0/web/mkosi.conf' }), { path: 'web' })).toEqual(['mkosi.conf'])
  })

  it('is not one where the archive has a root, or anything else at its top', async () => {
    expect(await pathsOf(tar({ path: '.', type: 'directory' }, { path: 'web/mkosi.conf' }))).toEqual(['web', 'web/mkosi.conf'])
    expect(await pathsOf(tar({ path: 'web/mkosi.conf' }, { path: 'README' }))).toEqual(['README', 'web', 'web/mkosi.conf'])
    expect(await pathsOf(tar({ path: 'web/mkosi.conf' }, { path: 'link', type: 'symlink', link: 'web' }), { path: 'web' })).toEqual([
      'mkosi.conf',
    ])
  })

  it('is not counted in a path', async () => {
    expect(await refusal(tar({ path: 'app/web/mkosi.conf' }), { path: 'app/web' })).toBe('source-path-missing')
    expect(await refusal(tar({ path: 'app/web/mkosi.conf' }), { path: 'web/mkosi.conf' })).toBe('source-path-missing')
  })
})

it('is known by the bytes of the archive, and by its tree whatever the compression', async () => {
  const plain = tar({ path: 'mkosi.conf', body: 'x' }, { path: 'b' })
  const xz = path.join(folder, 'b.tar')
  await writeFile(xz, plain)
  run('xz', ['--keep', xz])
  const seen = new Set<string>()
  for (const bytes of [plain, gzipSync(plain), zstdCompressSync(plain), await readFile(`${xz}.xz`)]) {
    await using tree = await pin(bytes)
    expect(tree.pinned).toMatchObject({
      kind: 'archive',
      name: 'a.tar',
      path: '.',
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })
    seen.add(tree.pinned.treeDigest)
  }
  expect(seen.size).toBe(1)
})

it('leaves out .git, as a folder does', async () => {
  const members = [{ path: '.git/config' }, { path: 'a/.git' }, { path: 'a/file' }, { path: '.gitignore' }]
  expect(await pathsOf(tar(...members))).toEqual(['.gitignore', 'a', 'a/file'])
  expect(await refusal(tar({ path: '.git/x', body: 'x' }, { path: 'y', type: 'hardlink', link: '.git/x' }))).toBe('source-hard-link')
})

it('takes a hard link as a file of its own, execute bit and all', async () => {
  const bytes = tar({ path: 'a', body: 'abc', mode: 0o755 }, { path: 'b', type: 'hardlink', link: 'a' }, { path: 'c', body: '1' })
  await using tree = await pin(bytes)
  const [a, b] = tree.tree.entries
  expect(b).toEqual({ ...a, path: 'b' })
  expect(tree.tree.text('b')).toBe('abc')
})

describe('an archive is refused', () => {
  const bomb = (): Buffer => tar({ path: 'a', body: '\0'.repeat(90 * 1024 ** 2) })
  const x = { path: 'x', body: 'x' }
  it.each([
    ['that goes up', 'tar-path-not-normal', () => tar(x, { path: '../evil' })],
    ['that goes up from within', 'tar-path-not-normal', () => tar(x, { path: 'a/../../evil' })],
    ['with an absolute path', 'tar-path-not-normal', () => absolute()],
    ['that writes through a link', 'tar-path-under-file', () => tar({ path: 'a', type: 'symlink', link: '/tmp' }, { path: 'a/evil' })],
    ['that puts a link over a folder', 'tar-path-under-file', () => tar({ path: 'a/b' }, { path: 'a', type: 'symlink', link: '/tmp' })],
    ['that has a file twice', 'tar-path-duplicate', () => tar(x, x)],
    ['with a device', 'source-special-file', () => tar({ path: 'a', type: 'block', device: '8:0' }, x)],
    ['with a pipe', 'source-special-file', () => tar({ path: 'a', type: 'fifo' }, x)],
    ['with a hard link out of it', 'tar-link-target-missing', () => tar({ path: 'a', type: 'hardlink', link: 'etc/shadow' })],
    ['with an empty link', 'tar-link-malformed', () => tar({ path: 'a', type: 'symlink', link: '' }, x)],
    ['with a name of 256 bytes', 'source-name-refused', () => tar({ path: 'a'.repeat(256) }, x)],
    ['that is too deep', 'source-depth-limit', () => tar({ path: 'a/'.repeat(200) + 'b' })],
    ['cut short', 'tar-truncated', () => tar(x).subarray(0, 700)],
    ['that is empty of everything', 'tar-truncated', () => Buffer.alloc(0)],
    ['with a wrong checksum', 'tar-checksum', () => flipped(tar(x), 3)],
    ['with something behind its end', 'tar-trailing-data', () => Buffer.concat([tar(x), Buffer.from('x'.repeat(512))])],
    ['of a damaged gzip', 'source-damaged', () => flipped(gzipSync(tar(x)), 30)],
    ['of a gzip cut short', 'source-damaged', () => gzipSync(tar(x)).subarray(0, -9)],
    ['of a gzip with something behind it', 'source-damaged', () => Buffer.concat([gzipSync(tar(x)), Buffer.from('PK')])],
    ['that is a gzip bomb', 'source-ratio-limit', () => gzipSync(bomb())],
    ['that is a zstd bomb', 'source-ratio-limit', () => zstdCompressSync(bomb())],
    ['that is a zip', 'source-archive-format', () => Buffer.from('PK\x03\x04 and so on', 'latin1')],
    ['that is no archive', 'tar-format-unknown', () => Buffer.from('just text, '.repeat(100))],
  ])('%s: %s', async (_, code, make) => {
    expect(await refusal(make())).toBe(code)
  })

  it('that is a folder, a device or not there', async () => {
    await mkdir(path.join(folder, 'b.tar'))
    const of = async (file: string): Promise<unknown> => pinSource({ kind: 'archive', file, path: '.' }, { scratch, access: OWN_ACCESS })
    await expect(of(path.join(folder, 'b.tar'))).rejects.toMatchObject({ code: 'source-archive-format' })
    await expect(of('/dev/zero')).rejects.toMatchObject({ code: 'source-special-file' })
    await expect(of(path.join(folder, 'none.tar'))).rejects.toMatchObject({
      code: 'source-missing',
      message: expect.stringContaining('none.tar"'),
    })
    expect(await isEmpty(scratch)).toBe(true)
  })

  it('past a limit', async () => {
    const two = tar({ path: 'a/b', body: 'xy' }, { path: 'c', type: 'hardlink', link: 'a/b' })
    expect(await refusal(two, { limits: { maxEntries: 2 } })).toBe('source-entries-limit')
    expect(await refusal(two, { limits: { maxFileSize: 1 } })).toBe('tar-file-size-limit')
    expect(await refusal(two, { limits: { maxTotalSize: 3 } })).toBe('source-size-limit')
    expect(await refusal(two, { limits: { maxArchiveSize: two.length - 1 } })).toBe('source-size-limit')
    await using tree = await pin(two, { limits: { maxEntries: 3, maxFileSize: 2, maxTotalSize: 4, maxArchiveSize: two.length } })
    expect(tree.tree.entries).toHaveLength(3)
  })
})

it('takes 100 000 entries, and not one more', async () => {
  const files = Array.from({ length: 99_900 }, (_, index) => member({ path: `d${index % 100}/f${index}`, body: 'x' }))
  await using tree = await pin(tar(...files))
  expect(tree.tree.entries).toHaveLength(100_000)
  await expect(pin(tar(...files, { path: 'more' }))).rejects.toMatchObject({ code: 'source-entries-limit' })
})

it('stops in the midst of an archive that never ends', async () => {
  const controller = new AbortController()
  const file = path.join(folder, 'endless.tar.gz')
  const gzip = createGzip({ level: 1 })
  gzip.end(tar({ path: 'a', body: 'abc'.repeat(10_000_000) }))
  await writeFile(file, gzip)
  const reason = new Error('stopped')
  let looks = 0
  Object.defineProperty(controller.signal, 'throwIfAborted', {
    value(this: AbortSignal) {
      looks += 1
      if (looks === 3) controller.abort(reason)
      if (this.aborted) throw reason
    },
  })
  const pinning = pinSource({ kind: 'archive', file, path: '.' }, { scratch, access: OWN_ACCESS, signal: controller.signal })
  controller.abort(reason)
  await expect(pinning).rejects.toBe(reason)
  expect(await isEmpty(scratch)).toBe(true)
})

function absolute(): Buffer {
  const bytes = tar({ path: 'etc/passwd' })
  bytes.write('/etc/passwd\0\0', 0, 'latin1')
  return withChecksum(bytes)
}

function withChecksum(bytes: Buffer): Buffer {
  bytes.fill(0x20, 148, 156)
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return bytes
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 0x41
  return copy
}
