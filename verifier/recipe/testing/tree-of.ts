import { createHash } from 'node:crypto'
import type { Sha256 } from '../../model/digest.ts'
import type { SourceFile, SourceTree } from '../../model/source-tree.ts'
import { escapeBytes } from '../../model/tree-manifest.ts'

/** A file's text or bytes; or with its mode, or a link. */
export type TreeFile =
  | string
  | Uint8Array
  | { readonly content: string | Uint8Array }
  | { readonly executable: string }
  | { readonly link: string }

const MOST_TEXT = 1024 * 1024

/** A source tree in memory: `treeOf({ 'mkosi.conf': '[Output]\nFormat=tar\n', 'mkosi.build': { executable: '#!/bin/sh\n' } })`. */
export function treeOf(files: Readonly<Record<string, TreeFile>>): SourceTree {
  const contents = new Map<string, Uint8Array>()
  const entries = new Map<string, SourceFile>()
  for (const [name, file] of Object.entries(files)) {
    const path = escape(name)
    for (let cut = path.indexOf('/'); cut > 0; cut = path.indexOf('/', cut + 1)) addFolder(entries, path.slice(0, cut))
    if (name.endsWith('/')) continue
    if (typeof file === 'object' && 'link' in file) {
      entries.set(path, { path, type: 'l', executable: false, size: 0, sha256: null, link: escape(file.link) })
      continue
    }
    const bytes = bytesOf(file)
    contents.set(path, bytes)
    const sha256 = createHash('sha256').update(bytes).digest('hex') as Sha256
    const executable = typeof file === 'object' && 'executable' in file
    entries.set(path, { path, type: 'f', executable, size: bytes.length, sha256, link: null })
  }
  return {
    entries: [...entries.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    text: (path) => textOf(contents.get(path)),
    head: (path) => contents.get(path)?.subarray(0, 512),
  }
}

function addFolder(entries: Map<string, SourceFile>, path: string): void {
  if (!entries.has(path)) entries.set(path, { path, type: 'd', executable: false, size: 0, sha256: null, link: null })
}

function bytesOf(file: Exclude<TreeFile, { link: string }>): Uint8Array {
  const content = typeof file === 'string' || file instanceof Uint8Array ? file : 'executable' in file ? file.executable : file.content
  return typeof content === 'string' ? new TextEncoder().encode(content) : content
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined || bytes.length > MOST_TEXT) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function escape(text: string): string {
  return escapeBytes(new TextEncoder().encode(text))
}
