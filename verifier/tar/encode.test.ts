import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RECORD } from './bytes.ts'
import { encodeTarHeader, endPadding } from './encode.ts'
import type { TarEntry, TarMemberType } from './member.ts'
import { normalPath, sortKey } from './path.ts'
import { collectTar } from './testing/collect.ts'
import { rawTar } from './testing/raw-tar.ts'

const inOrder = (keys: readonly (string | undefined)[]): unknown[] => keys.toSorted((a, b) => ((a ?? '') < (b ?? '') ? -1 : 1))
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const component = fc
  .array(
    fc.integer({ min: 1, max: 255 }).filter((byte) => byte !== 0x2f),
    { minLength: 1, maxLength: 60 },
  )
  .map((codes) => String.fromCharCode(...codes))
  .filter((text) => text !== '.' && text !== '..')
const path = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const entry: fc.Arbitrary<TarEntry> = fc
  .record({
    path,
    type: fc.constantFrom<TarMemberType>('file', 'symlink', 'directory', 'character', 'block', 'fifo'),
    mode: fc.nat(0o7777),
    uid: fc.nat(0xffff_ffff),
    gid: fc.nat(0xffff_ffff),
    mtime: fc.oneof(
      fc.nat().map(String),
      fc.integer({ min: -(10 ** 14), max: 10 ** 14 }).map(String),
      fc
        .tuple(fc.integer(), fc.integer({ min: 1, max: 999_999_999 }))
        .map(([s, ns]) => `${s}.${String(ns).padStart(9, '0').replace(/0+$/, '')}`),
    ),
    link: path,
    device: fc.tuple(fc.nat(0o7777777), fc.nat(0o7777777)).map((pair) => pair.join(':')),
    xattrs: fc.dictionary(
      fc.stringMatching(/^(user|security|trusted|system)\.[a-z._,-]{1,30}$/),
      fc.uint8Array({ maxLength: 40 }).map((value) => Buffer.from(value).toString('hex')),
      { maxKeys: 3 },
    ),
  })
  .map(({ path, type, link, device, xattrs, ...fields }) => ({
    ...fields,
    path: bytes(path),
    type,
    size: 0,
    linkPath: type === 'symlink' ? bytes(link) : null,
    device: type === 'character' || type === 'block' ? device : null,
    xattrs: Object.entries(xattrs).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  }))

describe('the fixed encoding', () => {
  test('gives back every fact of an entry', async () => {
    await fc.assert(
      fc.asyncProperty(entry, async (one) => {
        const [read] = await collectTar(rawTar(encodeTarHeader(one)))
        const { headerOffset: _h, dataOffset: _d, ...member } = read?.member ?? { headerOffset: 0, dataOffset: 0 }
        expect(member).toEqual(one)
      }),
      { numRuns: 500 },
    )
  })

  test('carries sizes that no octal field holds', async () => {
    const size = 0o77777777777 + 1
    const owner = { mode: 0o644, uid: 0, gid: 0, mtime: '0' }
    const file: TarEntry = { path: bytes('f'), type: 'file', ...owner, size, linkPath: null, device: null, xattrs: [] }
    const { readTar } = await import('./read.ts')
    const { IMAGE_TAR_LIMITS } = await import('./limits.ts')
    async function* head(): AsyncGenerator<Uint8Array, void, void> {
      yield encodeTarHeader(file)
    }
    for await (const member of readTar(head(), IMAGE_TAR_LIMITS)) {
      expect(member.size).toBe(size)
      break
    }
  })

  test('ends an archive with two zero blocks and fills the record', () => {
    for (const size of [0, 512, RECORD - 1024, RECORD - 512, RECORD]) {
      expect(endPadding(size)).toBeGreaterThanOrEqual(1024)
      expect((size + endPadding(size)) % RECORD).toBe(0)
      expect(endPadding(size)).toBeLessThan(1024 + RECORD)
    }
  })
})

describe('the order of paths', () => {
  test('puts a directory before its contents, and these before anything else', () => {
    const sorted = ['a', 'a/b', 'a/b/c', 'a/b-', 'a!', 'a-b', 'a.b', 'a0'].map(sortKey)
    expect(inOrder(sorted)).toEqual(sorted)
    expect(sortKey('.') < sortKey('!')).toBe(true)
  })

  test('goes by bytes, not by letters', () => {
    const [big, small, odd] = ['B', 'a', '\xe9'].map(sortKey)
    expect(inOrder([odd, small, big])).toEqual([big, small, odd])
  })
})

test('a path has one normal form', () => {
  const normal = (written: string, directory = false): string | undefined => normalPath(written, { directory, maxLength: 10 })
  expect([normal('./a'), normal('a'), normal('a/', true), normal('./a/', true), normal('.', true), normal('./', true)]).toEqual([
    'a',
    'a',
    'a',
    'a',
    '.',
    '.',
  ])
  expect([normal('...'), normal('.a'), normal('a.'), normal('..a'), normal('a/...')]).toEqual(['...', '.a', 'a.', '..a', 'a/...'])
  for (const bad of ['', '/', '/a', 'a/', 'a//b', './/a', '././a', 'a/.', 'a/./b', '..', '../a', 'a/..', './..', 'x'.repeat(11), 'a\0'])
    expect(normal(bad)).toBeUndefined()
})
