import { type EntryType, encodeEntry, escapeBytes, TREE_MANIFEST_HEADER } from '../model/tree-manifest.ts'
import { fromLatin1 } from '../tar/bytes.ts'
import { type Inode, pathOf } from './canonical-entry.ts'
import type { Ordered } from './canonical-order.ts'

const LETTERS: Readonly<Record<Inode['type'], EntryType>> = {
  file: 'f',
  directory: 'd',
  symlink: 'l',
  character: 'c',
  block: 'b',
  fifo: 'p',
}

const PIECE = 256 * 1024

/** The tree manifest (verifier/model/tree-manifest.ts) of the members, in pieces of bounded size, each a buffer of its own. */
export function* manifestPieces(members: readonly Ordered[]): Generator<Uint8Array<ArrayBuffer>, void, void> {
  let text = `${TREE_MANIFEST_HEADER}\n`
  for (const member of members) {
    text += `${manifestLine(member)}\n`
    if (text.length < PIECE) continue
    yield new TextEncoder().encode(text)
    text = ''
  }
  if (text !== '') yield new TextEncoder().encode(text)
}

function manifestLine({ entry, leader }: Ordered): string {
  const { inode, mode, uid, gid, mtime } = entry
  const target = leader !== null ? pathOf(leader) : inode.target === null ? null : fromLatin1(inode.target)
  return encodeEntry({
    path: escapeBytes(pathOf(entry)),
    type: leader === null ? LETTERS[inode.type] : 'h',
    mode,
    uid,
    gid,
    mtime,
    size: inode.size,
    sha256: inode.sha256,
    link: target === null ? null : escapeBytes(target),
    device: leader === null ? inode.device : null,
    xattrs: leader === null ? inode.xattrs : [],
  })
}
