import type { Aspect, Difference } from '../model/explanation.ts'
import type { TreeEntry } from '../model/tree-manifest.ts'
import type { EntryPair } from './merge.ts'

const MAX_VALUE = 300

/** What differs about one path, aspect by aspect. Empty for equal entries. */
export function differencesOf({ left, right }: EntryPair): Difference[] {
  if (left === null || right === null) return [difference('entry', left?.type ?? null, right?.type ?? null)]
  const found: Difference[] = []
  const compare = (aspect: Aspect, value: (entry: TreeEntry) => string | null): void => {
    const [a, b] = [value(left), value(right)]
    if (a !== b) found.push(difference(aspect, a, b))
  }
  // Of names that share one file, which one holds it is said by `hard-link` alone.
  compare('type', (entry) => (entry.type === 'h' ? 'f' : entry.type))
  if (found.length === 0) {
    compare('content', (entry) => entry.sha256)
    compare('size', (entry) => String(entry.size))
    compare('hard-link', (entry) => (entry.type === 'h' ? entry.link : null))
    compare('link', (entry) => (entry.type === 'h' ? null : entry.link))
    compare('device', (entry) => entry.device)
  }
  compare('mode', (entry) => entry.mode.toString(8).padStart(4, '0'))
  compare('owner', (entry) => `${entry.uid}:${entry.gid}`)
  compare('mtime', (entry) => entry.mtime)
  // A further name of a file carries no attributes of its own in a manifest.
  if ((left.type === 'h') === (right.type === 'h'))
    compare('xattr', (entry) => entry.xattrs.map(([name, value]) => `${name}=${value}`).join(',') || null)
  return found
}

function difference(aspect: Aspect, left: string | null, right: string | null): Difference {
  return { aspect, left: cut(left), right: cut(right) }
}

function cut(value: string | null): string | null {
  return value !== null && value.length > MAX_VALUE ? `${value.slice(0, MAX_VALUE)}…` : value
}
