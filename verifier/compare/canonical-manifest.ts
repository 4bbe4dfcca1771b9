import { type EntryType, encodeEntry, escapeLatin1, TREE_MANIFEST_HEADER } from '../model/tree-manifest.ts'
import { type IndexedEntry, type Inode, nameOf } from './canonical-entry.ts'
import type { OrderedEntries } from './canonical-order.ts'

const LETTERS: Readonly<Record<Inode['type'], EntryType>> = {
  file: 'f',
  directory: 'd',
  symlink: 'l',
  character: 'c',
  block: 'b',
  fifo: 'p',
}

/** Large enough for a store to write as it is. */
const PIECE = 288 * 1024

/** The tree manifest (verifier/model/tree-manifest.ts) of the members, in pieces of bounded size, each a buffer of its own. */
export function* manifestPieces({ order, leaders, entries }: OrderedEntries): Generator<Uint8Array<ArrayBuffer>, void, void> {
  const piece = Buffer.allocUnsafeSlow(PIECE)
  let filled = piece.write(`${TREE_MANIFEST_HEADER}\n`, 'utf8')
  for (const index of order) {
    const leader = leaders[index] ?? -1
    const line = `${manifestLine(entries.at(index), leader === -1 ? null : entries.keyAt(leader))}\n`
    // UTF-8 takes up to three bytes for what a string counts as one.
    if (filled > 0 && filled + line.length * 3 > PIECE) {
      yield new Uint8Array(piece.subarray(0, filled))
      filled = 0
    }
    if (line.length * 3 > PIECE) yield new TextEncoder().encode(line)
    else filled += piece.write(line, filled, 'utf8')
  }
  if (filled > 0) yield new Uint8Array(piece.subarray(0, filled))
}

function manifestLine(entry: IndexedEntry, leader: string | null): string {
  const { inode, mode, uid, gid, mtime } = entry
  const target = leader === null ? inode.target : nameOf(leader)
  return encodeEntry({
    path: escapeLatin1(nameOf(entry.key)),
    type: leader === null ? LETTERS[inode.type] : 'h',
    mode,
    uid,
    gid,
    mtime,
    size: inode.size,
    sha256: inode.sha256,
    link: target === null ? null : escapeLatin1(target),
    device: leader === null ? inode.device : null,
    xattrs: leader === null ? inode.xattrs : [],
  })
}
