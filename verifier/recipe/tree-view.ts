import type { SourceFile, SourceTree } from '../model/source-tree.ts'
import { escapeBytes, unescapeBytes } from '../model/tree-manifest.ts'

/** Where a path leads, links followed as the kernel would. `path` is relative to the recipe's folder, '' for the folder itself. */
export type Resolved =
  | { readonly kind: 'file' | 'folder'; readonly path: string; readonly links: readonly string[] }
  | { readonly kind: 'missing' | 'outside' | 'loop'; readonly path: string; readonly links: readonly string[] }

const MOST_LINKS = 40

/**
 * The recipe's folder as a file system. Paths are escaped as in tree manifests, except where a parameter is called `text`: that is a
 * path as a config file writes it.
 */
export class TreeView {
  readonly #tree: SourceTree
  readonly #entries = new Map<string, SourceFile>()
  readonly #children = new Map<string, Set<string>>([['', new Set()]])
  readonly #sorted = new Map<string, readonly string[]>()

  constructor(tree: SourceTree) {
    this.#tree = tree
    for (const entry of tree.entries) {
      const path = trim(entry.path)
      if (path === '' || path === '.') continue
      this.#entries.set(path, entry)
      this.#register(path)
      if (entry.type === 'd' && !this.#children.has(path)) this.#children.set(path, new Set())
    }
  }

  /** Every entry that the tree lists, in its order. */
  get entries(): readonly SourceFile[] {
    return this.#tree.entries
  }

  entry(path: string): SourceFile | undefined {
    return this.#entries.get(path)
  }

  /** Names in a folder, sorted by code point as Python sorts paths. */
  names(folder: string): readonly string[] {
    const known = this.#sorted.get(folder) ?? [...(this.#children.get(folder) ?? [])].toSorted(byCodePoint)
    this.#sorted.set(folder, known)
    return known
  }

  /** Files and links below a folder, the folder's own links not followed. */
  *below(folder: string): Generator<SourceFile> {
    for (const name of this.names(folder)) {
      const path = join(folder, name)
      const entry = this.#entries.get(path)
      if (this.#children.has(path)) yield* this.below(path)
      else if (entry !== undefined) yield entry
    }
  }

  /** A file with a zero byte is no text: what is said of it has to fit into any other text, a database's among them. */
  text(path: string): string | undefined {
    const entry = this.#entries.get(path)
    const text = entry === undefined ? undefined : this.#tree.text(entry.path)
    return text?.includes('\0') === true ? undefined : text
  }

  head(path: string): Uint8Array | undefined {
    const entry = this.#entries.get(path)
    return entry === undefined ? undefined : this.#tree.head(entry.path)
  }

  /** Follows `text`, a path as a config file writes it, from a folder of the tree. */
  resolve(folder: string, text: string): Resolved {
    return this.resolveEscaped(folder, escapeText(text))
  }

  resolveEscaped(folder: string, path: string): Resolved {
    const links: string[] = []
    let pending = path.split('/')
    if (path.startsWith('/')) return { kind: 'outside', path, links }
    let at: string[] = folder === '' ? [] : folder.split('/')
    while (pending.length > 0) {
      const [part = '', ...rest] = pending
      pending = rest
      if (part === '' || part === '.') continue
      if (part === '..') {
        if (at.length === 0) return { kind: 'outside', path, links }
        at = at.slice(0, -1)
        continue
      }
      const here = [...at, part].join('/')
      const entry = this.#entries.get(here)
      if (entry?.type === 'l') {
        links.push(here)
        const target = entry.link ?? ''
        if (links.length > MOST_LINKS) return { kind: 'loop', path, links }
        if (target.startsWith('/')) return { kind: 'outside', path, links }
        pending = [...target.split('/'), ...pending]
        continue
      }
      if (entry === undefined && !this.#children.has(here)) return this.#missing([...at, part], pending, path, links)
      at = [...at, part]
    }
    const found = at.join('/')
    return { kind: this.#children.has(found) ? 'folder' : 'file', path: found, links }
  }

  /** What does not exist can still lead out of the tree, once it does. */
  #missing(at: readonly string[], pending: readonly string[], path: string, links: readonly string[]): Resolved {
    let depth = at.length
    for (const part of pending) {
      if (part === '..') depth -= 1
      else if (part !== '' && part !== '.') depth += 1
      if (depth < 0) return { kind: 'outside', path, links }
    }
    return { kind: 'missing', path: [...at, ...pending].join('/'), links }
  }

  #register(path: string): void {
    const cut = path.lastIndexOf('/')
    const parent = cut < 0 ? '' : path.slice(0, cut)
    const siblings = this.#children.get(parent)
    if (siblings !== undefined) {
      siblings.add(path.slice(cut + 1))
      return
    }
    this.#children.set(parent, new Set([path.slice(cut + 1)]))
    this.#register(parent)
  }
}

export function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}

export function parentOf(path: string): string {
  const cut = path.lastIndexOf('/')
  return cut < 0 ? '' : path.slice(0, cut)
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** A path of the tree as a config file would write it; bytes that are no UTF-8 become replacement characters. */
export function textOf(escaped: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(unescapeBytes(escaped))
}

/** Component by component, since a lone dash is written otherwise than a dash in a path. */
function escapeText(text: string): string {
  return text
    .split('/')
    .map((part) => (part === '-' || part === '' ? part : escapeBytes(new TextEncoder().encode(part))))
    .join('/')
}

function trim(path: string): string {
  return path.replace(/^(\.\/)+/, '').replace(/\/+$/, '')
}

function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
