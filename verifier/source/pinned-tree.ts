import { createHash } from 'node:crypto'
import { Sha256 } from '../model/digest.ts'
import { sha256Of } from '../model/hex-digest.ts'
import type { PinnedSource } from '../model/source.ts'
import type { SourceFile, SourceTree } from '../model/source-tree.ts'
import { encodeEntry, escapeBytes, TREE_MANIFEST_HEADER } from '../model/tree-manifest.ts'
import { fromLatin1, paddingAfter, ZEROS } from '../tar/bytes.ts'
import { encodeTarHeader, endPadding } from '../tar/encode.ts'
import type { TarEntry } from '../tar/member.ts'
import type { Content, Spool } from './spool.ts'
import type { SourceEntry } from './tree-entries.ts'

/** A source that can no longer change, lying in a private folder until it is disposed of. */
export interface PinnedTree extends AsyncDisposable {
  readonly pinned: PinnedSource
  readonly tree: SourceTree
  /** Canonical tar of the recipe's folder; can be read more than once. */
  tar(): AsyncIterable<Uint8Array>
}

const MAX_TEXT = 1024 * 1024
const HEAD = 512
const SMALL = 64 * 1024
const PIECE = 1024 * 1024

/** The root of every source, as its tree manifest and its tar show it. */
const ROOT = { path: '.', type: 'd' } as const

/** Digest of the tree manifest (verifier/model/tree-manifest.ts) of the entries, which are in canonical order. */
export function treeDigestOf(entries: readonly SourceEntry[]): Sha256 {
  const hash = createHash('sha256').update(`${TREE_MANIFEST_HEADER}\n`)
  for (const entry of [ROOT, ...entries]) hash.update(`${manifestLine(entry)}\n`)
  return sha256Of(hash)
}

function manifestLine(entry: SourceEntry): string {
  const content = entry.type === 'f' ? entry.content : undefined
  return encodeEntry({
    path: escaped(entry.path),
    type: entry.type,
    mode: modeOf(entry),
    uid: 0,
    gid: 0,
    mtime: '0',
    size: content?.size ?? 0,
    sha256: content?.sha256 ?? null,
    link: entry.type === 'l' ? escaped(entry.link) : null,
    device: null,
    xattrs: [],
  })
}

/** The canonical tar, as GNU tar writes it with `--format=pax --sort=name --numeric-owner --owner=0 --group=0 --mtime=@0`. */
export async function* canonicalTar(entries: readonly SourceEntry[], spool: Spool): AsyncGenerator<Uint8Array, void, void> {
  let size = 0
  let headers: Uint8Array[] = []
  let pending = 0
  const queue = (bytes: Uint8Array): void => {
    headers.push(bytes)
    pending += bytes.length
    size += bytes.length
  }
  const flush = (): Uint8Array => {
    const bytes = Buffer.concat(headers)
    headers = []
    pending = 0
    return bytes
  }
  for (const entry of [ROOT, ...entries]) {
    queue(encodeTarHeader(tarEntry(entry)))
    if (entry.type === 'f') {
      // Small files are read at once: a turn of the event loop for each of a hundred thousand takes longer than the reading.
      if (entry.content.size <= SMALL) queue(spool.head(entry.content, SMALL))
      else
        for await (const part of spool.read(entry.content)) {
          queue(part)
          if (pending >= PIECE) yield flush()
        }
      queue(ZEROS.subarray(0, paddingAfter(entry.content.size)))
    }
    if (pending >= PIECE) yield flush()
  }
  queue(ZEROS.subarray(0, endPadding(size)))
  yield flush()
}

function tarEntry(entry: SourceEntry): TarEntry {
  return {
    path: fromLatin1(entry.path),
    type: entry.type === 'f' ? 'file' : entry.type === 'd' ? 'directory' : 'symlink',
    mode: modeOf(entry),
    uid: 0,
    gid: 0,
    mtime: '0',
    size: entry.type === 'f' ? entry.content.size : 0,
    linkPath: entry.type === 'l' ? fromLatin1(entry.link) : null,
    device: null,
    xattrs: [],
  }
}

/** What git keeps of a mode; a link's is never looked at. */
function modeOf(entry: SourceEntry): number {
  if (entry.type === 'l') return 0o777
  return entry.type === 'd' || entry.executable ? 0o755 : 0o644
}

/** The entries as the recipe reader sees them. */
export function sourceTreeOf(entries: readonly SourceEntry[], spool: Spool): SourceTree {
  const contents = new Map<string, Content>()
  const files: SourceFile[] = entries.map((entry) => {
    const path = escaped(entry.path)
    const base = { path, type: entry.type, executable: false, size: 0, sha256: null, link: null }
    if (entry.type === 'l') return { ...base, link: escaped(entry.link) }
    if (entry.type === 'd') return base
    contents.set(path, entry.content)
    return { ...base, executable: entry.executable, size: entry.content.size, sha256: entry.content.sha256 }
  })
  return {
    entries: files,
    text(path) {
      const content = contents.get(path)
      if (content === undefined || content.size > MAX_TEXT) return undefined
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(spool.head(content, MAX_TEXT))
      } catch (error) {
        if (error instanceof TypeError) return undefined
        throw error
      }
    },
    head(path) {
      const content = contents.get(path)
      return content === undefined ? undefined : spool.head(content, HEAD)
    },
  }
}

function escaped(bytes: string): string {
  return escapeBytes(fromLatin1(bytes))
}
