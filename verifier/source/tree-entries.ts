import { escapeBytes } from '../model/tree-manifest.ts'
import { fromLatin1 } from '../tar/bytes.ts'
import { sortKey } from '../tar/path.ts'
import { type SourceFailureCode, sourceFailure } from './failures.ts'
import type { SourceLimits } from './limits.ts'
import type { Content } from './spool.ts'

/** One entry of a source. Names are one character a byte: bytes as they are, never decoded, folded or normalised. */
export type SourceEntry = { readonly path: string } & (
  | { readonly type: 'd' }
  | { readonly type: 'f'; readonly executable: boolean; readonly content: Content }
  | { readonly type: 'l'; readonly link: string }
)

const MAX_NAME = 255

/** Collects what a source holds, in any order, and refuses what one folder could not hold. */
export class TreeEntries {
  readonly #limits: SourceLimits
  readonly #entries = new Map<string, SourceEntry>()
  /** Folders of which only contents were seen. */
  readonly #implied = new Set<string>()
  #total = 0
  #paths = 0

  constructor(limits: SourceLimits) {
    this.#limits = limits
  }

  get(path: string): SourceEntry | undefined {
    return this.#entries.get(path)
  }

  /** Refuses a path before its content is read. */
  check(path: string): void {
    if (path.length > this.#limits.maxPathLength) throw failure('source-depth-limit', path, this.#limits.maxPathLength)
    const parts = path.split('/')
    if (parts.length > this.#limits.maxDepth) throw failure('source-depth-limit', path, this.#limits.maxDepth)
    if (path.includes('\0') || parts.some(isRefused)) throw failure('source-name-refused', path)
    if (this.#entries.has(path) && !this.#implied.has(path)) throw failure('source-path-duplicate', path)
  }

  add(entry: SourceEntry): void {
    this.check(entry.path)
    if (entry.type === 'l' && !/^[^\0]{1,4095}$/s.test(entry.link)) throw failure('source-link-malformed', entry.path)
    if (this.#implied.has(entry.path) && entry.type !== 'd') throw failure('source-path-under-file', entry.path)
    this.#addParents(entry.path)
    // Counted by name: content that many names share, by hard links or in git, is written to the tar for each.
    if (entry.type === 'f') this.#total += entry.content.size
    if (this.#total > this.#limits.maxTotalSize) throw sourceFailure('source-size-limit', { limit: this.#limits.maxTotalSize })
    if (!this.#implied.delete(entry.path)) this.#count(entry.path)
    if (entry.type === 'l') this.#count(entry.link)
    this.#entries.set(entry.path, entry)
    if (this.#entries.size > this.#limits.maxEntries) throw sourceFailure('source-entries-limit', { limit: this.#limits.maxEntries })
  }

  /**
   * The entries of one folder, relative to it, in canonical order: a folder directly before its contents, names in it by their bytes.
   * The folder itself is not among them.
   */
  within(folder: string): readonly SourceEntry[] {
    if (folder === '.') return canonically([...this.#entries.values()])
    if (this.#entries.get(folder)?.type !== 'd') throw failure('source-path-missing', folder)
    const prefix = `${folder}/`
    const inside = [...this.#entries.values()].filter((entry) => entry.path.startsWith(prefix))
    return canonically(inside.map((entry) => ({ ...entry, path: entry.path.slice(prefix.length) })))
  }

  /** The name of the one folder that everything lies in, if there is one. */
  wrapper(): string | undefined {
    const top = new Set<string>()
    for (const path of this.#entries.keys()) top.add(path.split('/', 1)[0] ?? '')
    const [only] = top
    return top.size === 1 && only !== undefined && this.#entries.get(only)?.type === 'd' ? only : undefined
  }

  /** All of them are kept in memory. */
  #count(text: string): void {
    this.#paths += text.length
    if (this.#paths > this.#limits.maxPathsSize) throw sourceFailure('source-paths-limit', { limit: this.#limits.maxPathsSize })
  }

  #addParents(path: string): void {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const parent = path.slice(0, end)
      const known = this.#entries.get(parent)
      if (known?.type === 'd') return
      if (known !== undefined) throw failure('source-path-under-file', path)
      this.#count(parent)
      this.#entries.set(parent, { path: parent, type: 'd' })
      this.#implied.add(parent)
    }
  }
}

function isRefused(part: string): boolean {
  return part === '' || part === '.' || part === '..' || part === '.git' || part.length > MAX_NAME
}

function canonically(entries: readonly SourceEntry[]): readonly SourceEntry[] {
  const keyed = entries.map((entry) => ({ entry, key: sortKey(entry.path) }))
  return keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ entry }) => entry)
}

function failure(code: SourceFailureCode, path: string, limit?: number): Error {
  return sourceFailure(code, { path: escapeBytes(fromLatin1(path.slice(0, 512))), ...(limit === undefined ? {} : { limit }) })
}
