import type { IndexedEntry } from './canonical-entry.ts'

export type Ordered = {
  readonly entry: IndexedEntry
  /** Null for the name that carries the content: the first of its group in canonical order. */
  readonly leader: IndexedEntry | null
}

export type CanonicalOrder = {
  readonly members: readonly Ordered[]
  readonly reordered: boolean
  readonly released: boolean
}

/**
 * Sorts: a directory stands directly before its contents, names within one directory go by their bytes. The first name of a hard-link
 * group leads it. `reordered` and `released` say whether the archive had it otherwise.
 */
export function canonicalOrder(entries: IndexedEntry[]): CanonicalOrder {
  const reordered = entries.some((entry, index) => index > 0 && (entries[index - 1]?.key ?? '') >= entry.key)
  const sorted = reordered ? entries.toSorted((a, b) => (a.key < b.key ? -1 : 1)) : entries
  const leaders = new Map<IndexedEntry, IndexedEntry>()
  let released = false
  const grouped = new Set(sorted.flatMap((entry) => (entry.leader === null ? [] : [entry.leader])))
  const members = sorted.map((entry) => {
    const written = entry.leader ?? entry
    if (!grouped.has(written)) return { entry, leader: null }
    const leader = leaders.get(written)
    if (leader !== undefined) return { entry, leader }
    leaders.set(written, entry)
    released ||= entry !== written
    return { entry, leader: null }
  })
  return { members, reordered, released }
}
