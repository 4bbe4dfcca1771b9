import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { viewBuffer } from '../byte-view.ts'
import { explain } from '../explain.ts'
import { readCpio } from './read-cpio.ts'

type Member = {
  readonly name: string
  readonly mode?: number
  readonly content?: string
  readonly ino?: number
  readonly nlink?: number
  readonly mtime?: number
}

function cpio(members: readonly Member[], tail = Buffer.alloc(0)): Buffer {
  const parts = [...members, { name: 'TRAILER!!!', mode: 0 }].flatMap(
    ({ name, mode = 0o100644, content = '', ino = 1, nlink = 1, mtime = 0 }: Member) => {
      const fields = [ino, mode, 0, 0, nlink, mtime, Buffer.byteLength(content), 0, 0, 0, 0, Buffer.byteLength(name) + 1, 0]
      const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`
      return [padded(Buffer.from(head)), padded(Buffer.from(content))]
    },
  )
  return Buffer.concat([...parts, tail])
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
}

const lines = async (bytes: Buffer): Promise<unknown> =>
  (await readCpio(viewBuffer(bytes)))?.map(({ entry }) => `${entry.type} ${entry.path} ${entry.size} ${entry.link ?? '-'}`) ?? null

describe('readCpio', () => {
  it('reads a tree in canonical order', async () => {
    const bytes = cpio([
      { name: 'b', content: 'two' },
      { name: '.', mode: 0o40755 },
      { name: 'a', mode: 0o40755 },
      { name: 'a/x', mode: 0o120777, content: '../b' },
    ])
    expect(await lines(bytes)).toEqual(['d . 0 -', 'd a 0 -', 'l a/x 0 ../b', 'f b 3 -'])
  })

  it('gives all names of a linked file the content that one of them holds', async () => {
    const bytes = cpio([
      { name: 'z', ino: 7, nlink: 2 },
      { name: 'y', ino: 7, nlink: 2, content: 'text' },
    ])
    expect(await lines(bytes)).toEqual(['f y 4 -', 'h z 4 y'])
  })

  it.each([
    ['another format', Buffer.from('070707')],
    ['nothing', Buffer.alloc(0)],
    ['no trailer', cpio([{ name: 'a' }]).subarray(0, 120)],
    ['bytes behind the end', cpio([{ name: 'a' }], Buffer.from('x'))],
    ['a path twice', cpio([{ name: 'a' }, { name: './a' }])],
    ['a path that climbs', cpio([{ name: '../a' }])],
    ['an absolute path', cpio([{ name: '/a' }])],
    ['an unknown type', cpio([{ name: 'a', mode: 0o140755 }])],
    ['a folder with content', cpio([{ name: 'a', mode: 0o40755, content: 'x' }])],
  ])('takes no archive with %s', async (_, bytes) => {
    expect(await lines(bytes)).toBe(null)
  })

  it('reads no more entries and no longer names than can be held', async () => {
    const many = (count: number, name: (index: number) => string): Member[] =>
      Array.from({ length: count }, (_, index) => ({ name: name(index) }))
    expect(await readCpio(viewBuffer(cpio(many(200_001, (index) => `f${index}`))))).toBeNull()
    const long = (index: number): string => `${'x/'.repeat(1900)}${index}`
    expect(await readCpio(viewBuffer(cpio(many(8000, long))))).toHaveLength(8000)
    expect(await readCpio(viewBuffer(cpio(many(9000, long))))).toBeNull()
  })

  it('takes zeros behind the end for padding', async () => {
    expect(await lines(cpio([{ name: 'a' }], Buffer.alloc(512)))).toEqual(['f a 0 -'])
  })

  it('reads damaged archives without a fault', async () => {
    const good = cpio([
      { name: 'a', content: 'text' },
      { name: 'b', mode: 0o40755 },
    ])
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), async (at, value) => {
        const bad = Buffer.from(good)
        bad[at] = value
        const entries = await readCpio(viewBuffer(bad))
        expect(entries === null || entries.length <= 3).toBe(true)
      }),
    )
  })
})

describe('explain', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-cpio-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true })
  })

  it('explains two cpio archives as trees, and as bytes where one of them is damaged', async () => {
    const build = (day: string, mtime: number): Buffer =>
      cpio([
        { name: 'etc', mode: 0o40755 },
        { name: 'etc/issue', content: `built 2026-11-${day}\n`, mtime },
      ])
    const side = async (label: string, bytes: Buffer) => {
      await writeFile(path.join(folder, label), bytes)
      return { manifest: null, file: path.join(folder, label), label }
    }
    const left = await side('left', build('23', 1))
    const trees = await explain({ left, right: await side('right', build('24', 2)) })
    expect(trees).toMatchObject({ state: 'complete', ranges: [], changes: [{ path: 'etc/issue', rules: ['build-date', 'mtime'] }] })
    const raw = await explain({ left, right: await side('damaged', build('24', 1).subarray(0, -1)) })
    expect(raw.changes).toEqual([])
    expect(raw.ranges.length).toBeGreaterThan(0)
  })
})
