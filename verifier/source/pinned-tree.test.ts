import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { asTar135 } from '../compare/testing/real-tree.ts'
import { pinSource } from './pin-source.ts'
import { OWN_ACCESS } from './source-ref.ts'
import { run } from './testing/programs.ts'
import { member, tar } from './testing/tar.ts'
import { isEmpty, temporary } from './testing/temporary.ts'

// They start programs, and share the machine with builds.
vi.setConfig({ testTimeout: 120_000 })

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

async function sample(): Promise<string> {
  const root = await temporary()
  await mkdir(path.join(root, 'a/empty'), { recursive: true })
  await writeFile(path.join(root, 'a/run'), '#!/bin/sh\n')
  await chmod(path.join(root, 'a/run'), 0o755)
  await writeFile(path.join(root, 'a.conf'), 'text')
  await writeFile(path.join(root, 'caf\u00e9'), '\ufefftext')
  await writeFile(path.join(root, 'binary'), Buffer.of(0x7f, 0x45, 0x4c, 0x46, 0xff))
  await writeFile(path.join(root, 'large'), Buffer.alloc(3 * 1024 * 1024 + 1, 'x'))
  await writeFile(path.join(root, 'limit'), Buffer.alloc(1024 * 1024, 'x'))
  await writeFile(path.join(root, 'new\nline'), '')
  await writeFile(path.join(root, `${'l'.repeat(120)}`), '')
  await symlink('t'.repeat(150), path.join(root, 'link'))
  return root
}

it('writes the tar that GNU tar writes of the same tree, each time that it is asked', async () => {
  const root = await sample()
  await using tree = await pinSource({ kind: 'folder', folder: root }, { scratch: await temporary(), access: OWN_ACCESS })
  const options = [
    '--format=pax',
    '--pax-option=delete=atime,delete=ctime',
    '--sort=name',
    '--numeric-owner',
    '--owner=0',
    '--group=0',
    '--mtime=@0',
  ]
  const written = path.join(await temporary(), 'gnu.tar')
  run('chmod', ['--recursive', 'u=rwX,go=rX', root])
  run('tar', ['--create', `--file=${written}`, ...options, '.'], { cwd: root })
  const [first, second] = [await bytesOf(tree.tar()), await bytesOf(tree.tar())]
  expect(first.equals(asTar135(await readFile(written)))).toBe(true)
  expect(second.equals(first)).toBe(true)
})

it('is named by the digest of a manifest that anyone can write', async () => {
  const root = await temporary()
  await mkdir(path.join(root, 'a'))
  await writeFile(path.join(root, 'a/f'), 'x')
  await symlink('/etc', path.join(root, 'l'))
  await using tree = await pinSource({ kind: 'folder', folder: root }, { scratch: await temporary(), access: OWN_ACCESS })
  const manifest = [
    'bitwitness/tree-manifest/v1',
    'd\t0755\t0\t0\t0\t0\t-\t-\t-\t-\t.',
    'd\t0755\t0\t0\t0\t0\t-\t-\t-\t-\ta',
    `f\t0644\t0\t0\t0\t1\t${createHash('sha256').update('x').digest('hex')}\t-\t-\t-\ta/f`,
    'l\t0777\t0\t0\t0\t0\t-\t-\t-\t/etc\tl',
    '',
  ].join('\n')
  expect(tree.pinned.treeDigest).toBe(createHash('sha256').update(manifest).digest('hex'))
})

it('shows the recipe reader names, texts and beginnings, and nothing by a path that is not there', async () => {
  const root = await sample()
  await using pinned = await pinSource({ kind: 'folder', folder: root }, { scratch: await temporary(), access: OWN_ACCESS })
  const { entries } = pinned.tree
  const text = (file: string): string | undefined => pinned.tree.text(file)
  const head = (file: string): Uint8Array | undefined => pinned.tree.head(file)
  expect(entries.map((entry) => `${entry.type}${entry.executable ? 'x' : ''} ${entry.path}`)).toEqual([
    'd a',
    'd a/empty',
    'fx a/run',
    'f a.conf',
    'f binary',
    'f caf\u00e9',
    'f large',
    'f limit',
    'l link',
    `f ${'l'.repeat(120)}`,
    'f new\\x0aline',
  ])
  expect(entries.find((entry) => entry.path === 'link')?.link).toBe('t'.repeat(150))
  expect(text('a.conf')).toBe('text')
  expect(text('caf\u00e9')).toBe('\ufefftext')
  expect(text('new\\x0aline')).toBe('')
  expect(text('limit')).toHaveLength(1024 * 1024)
  for (const none of ['binary', 'large', 'link', 'a', 'none', '../a.conf', 'new\nline']) expect(text(none)).toBeUndefined()
  expect([...(head('binary') ?? [])]).toEqual([0x7f, 0x45, 0x4c, 0x46, 0xff])
  expect(head('large')).toHaveLength(512)
  for (const none of ['link', 'a', 'none']) expect(head(none)).toBeUndefined()
})

it('lies in a private folder, and is gone after it', async () => {
  const root = await sample()
  const scratch = await temporary()
  {
    await using _ = await pinSource({ kind: 'folder', folder: root }, { scratch, access: OWN_ACCESS })
    const [name = ''] = await readdir(scratch)
    expect((await stat(path.join(scratch, name))).mode & 0o777).toBe(0o700)
  }
  expect(await isEmpty(scratch)).toBe(true)
})

/** Names that sort differently by path and by component, that are not ASCII, or that wrappers have. */
const NAME = fc.constantFrom('a', 'a-b', 'a.conf', 'app-1.0', 'e\u0301', '\u00e9', 'mkosi.conf', ' ', 'l'.repeat(120))
const ENTRY = fc.record({
  folder: fc.array(NAME, { maxLength: 3 }),
  name: NAME,
  kind: fc.constantFrom('directory', 'file', 'symlink'),
  executable: fc.boolean(),
  body: fc.string({ maxLength: 20 }),
})

/** Archives of trees: with one folder at the top or with many, with a root or without, with more than one content for a name. */
const TREE = fc
  .tuple(fc.array(ENTRY, { minLength: 1, maxLength: 8 }), fc.option(NAME, { nil: null }), fc.boolean())
  .map(([entries, top, rooted]) => {
    const latin = (text: string): string => Buffer.from(text).toString('latin1')
    const taken = new Set<string>()
    const folders = new Set<string>()
    const members = entries.flatMap(({ folder, name, kind, executable, body }) => {
      const above = top === null ? folder : [top, ...folder]
      const path = [...above, name].join('/')
      const parents = above.map((_, index) => above.slice(0, index + 1).join('/'))
      if (taken.has(path) || folders.has(path) || parents.some((parent) => taken.has(parent))) return []
      for (const parent of parents) folders.add(parent)
      if (kind === 'directory') folders.add(path)
      else taken.add(path)
      const type = kind as 'directory' | 'file' | 'symlink'
      return [
        {
          path: latin(path),
          type,
          mode: executable ? 0o755 : 0o600,
          ...(type === 'file' ? { body } : {}),
          ...(type === 'symlink' ? { link: 'a' } : {}),
        },
      ]
    })
    return tar(...(rooted ? [member({ path: '.', type: 'directory' })] : []), ...members)
  })

it('is the same source again, taken from its tar, as a worker does: nothing is taken for a wrapper a second time', async () => {
  const folder = await temporary()
  const scratch = await temporary()
  const pinned = async (name: string, bytes: Uint8Array) => {
    const file = path.join(folder, name)
    await writeFile(file, bytes)
    await using tree = await pinSource({ kind: 'archive', file, path: '.' }, { scratch, access: OWN_ACCESS })
    return { tree: tree.pinned.treeDigest, bytes: await bytesOf(tree.tar()) }
  }
  await fc.assert(
    fc.asyncProperty(TREE, async (archive) => {
      const given = await pinned('given.tar', archive)
      const again = await pinned('again.tar', given.bytes)
      expect(again).toEqual(given)
    }),
    { numRuns: 60 },
  )
})
