import { writeFile } from 'node:fs/promises'
import { digestOf } from '../../bytes/digest-of.ts'
import { encodeEntry, escapeBytes, TREE_MANIFEST_HEADER, type TreeEntry } from '../../model/tree-manifest.ts'
import { paddingAfter } from '../../tar/bytes.ts'
import { encodeTarHeader, endPadding } from '../../tar/encode.ts'
import type { TarMemberType } from '../../tar/member.ts'
import { sortKey } from '../../tar/path.ts'

/** An entry of a tree for tests: content makes a file, `link` alone a symbolic link, `link` with `hard` a further name, else a directory. */
export type TestEntry = {
  readonly content?: string | Uint8Array
  readonly link?: string
  readonly hard?: boolean
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly mtime?: string
  readonly xattrs?: readonly (readonly [string, string])[]
}

/** Entries by path, one character a byte. A text is a file with that content. */
export type TestTree = Readonly<Record<string, TestEntry | string>>

type Placed = { readonly entry: TreeEntry; readonly raw: string; readonly content: Buffer }

export function manifestText(tree: TestTree): string {
  return [TREE_MANIFEST_HEADER, ...placed(tree).map(({ entry }) => encodeEntry(entry))].map((line) => `${line}\n`).join('')
}

/** In pieces of `size` bytes, so that lines are cut anywhere. */
export async function* pieces(text: string, size = 1000): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export async function writeTar(path: string, tree: TestTree): Promise<string> {
  const parts: Uint8Array[] = []
  for (const { entry, raw, content } of placed(tree)) {
    const type = TYPES[entry.type] ?? 'file'
    const linkPath = entry.link === null ? null : Buffer.from(entry.link, 'latin1')
    const size = type === 'file' ? entry.size : 0
    parts.push(encodeTarHeader({ ...entry, path: Buffer.from(raw, 'latin1'), type, linkPath, size }))
    if (type === 'file') parts.push(content, Buffer.alloc(paddingAfter(content.length)))
  }
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  await writeFile(path, Buffer.concat([...parts, Buffer.alloc(endPadding(length))]))
  return path
}

const TYPES: Readonly<Record<string, TarMemberType>> = { f: 'file', h: 'hardlink', d: 'directory', l: 'symlink' }

function placed(tree: TestTree): Placed[] {
  const contentOf = (path: string): Buffer => {
    const value = tree[path]
    const content = typeof value === 'string' ? value : value?.content
    return typeof content === 'string' ? Buffer.from(content, 'latin1') : Buffer.from(content ?? '')
  }
  return Object.entries(tree)
    .toSorted(([a], [b]) => (sortKey(a) < sortKey(b) ? -1 : 1))
    .map(([raw, value]) => {
      const given = typeof value === 'string' ? { content: value } : value
      const type = given.hard === true ? 'h' : given.link !== undefined ? 'l' : given.content === undefined ? 'd' : 'f'
      const content = type === 'h' ? contentOf(given.link ?? '') : contentOf(raw)
      const isFile = type === 'f' || type === 'h'
      const entry: TreeEntry = {
        path: escapeBytes(Buffer.from(raw, 'latin1')),
        type,
        mode: given.mode ?? (type === 'd' ? 0o755 : type === 'l' ? 0o777 : 0o644),
        uid: given.uid ?? 0,
        gid: given.gid ?? 0,
        mtime: given.mtime ?? '1700000000',
        size: isFile ? content.length : 0,
        sha256: isFile ? digestOf(content) : null,
        link: given.link ?? null,
        device: null,
        xattrs: given.xattrs ?? [],
      }
      return { entry, raw, content }
    })
}
