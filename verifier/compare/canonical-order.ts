import type { EntryTable } from './entry-table.ts'

export type CanonicalOrder = {
  /** Entries of the table, in canonical order. */
  readonly order: Uint32Array
  /** By entry: which one carries the content that it shares, -1 where it carries its own. */
  readonly leaders: Int32Array
  readonly reordered: boolean
  readonly released: boolean
}

/**
 * Sorts: a directory stands directly before its contents, names within one directory go by their bytes. The first name of a hard-link
 * group leads it. `reordered` and `released` say whether the archive had it otherwise.
 */
export function canonicalOrder(entries: EntryTable): CanonicalOrder {
  const order = Uint32Array.from({ length: entries.size }, (_, index) => index)
  const reordered = order.some((index) => index > 0 && entries.compare(index - 1, index) >= 0)
  if (reordered) order.sort((a, b) => entries.compare(a, b))
  const leaders = new Int32Array(entries.size).fill(-1)
  const groups = new Map<number, number | null>()
  for (const index of order) {
    const written = entries.leaderOf(index)
    if (written !== null) groups.set(written, null)
  }
  let released = false
  if (groups.size > 0)
    for (const index of order) {
      const written = entries.leaderOf(index) ?? index
      const first = groups.get(written)
      if (first === undefined) continue
      if (first !== null) leaders[index] = first
      else {
        groups.set(written, index)
        released ||= index !== written
      }
    }
  return { order, leaders, reordered, released }
}

export type OrderedEntries = Pick<CanonicalOrder, 'order' | 'leaders'> & { readonly entries: EntryTable }
