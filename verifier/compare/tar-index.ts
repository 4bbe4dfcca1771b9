import { createHash, hash as digestOf, type Hash } from 'node:crypto'
import type { Sha256 } from '../model/digest.ts'
import { Failure } from '../model/failure.ts'
import { sha256Of } from '../model/hex-digest.ts'
import { escapeLatin1 } from '../model/tree-manifest.ts'
import { ZEROS } from '../tar/bytes.ts'
import { encodeNamedHeader, endPadding } from '../tar/encode.ts'
import { tarFailure } from '../tar/failures.ts'
import type { TarLimits } from '../tar/limits.ts'
import type { ParsedMember } from '../tar/member.ts'
import { NameTable } from '../tar/name-table.ts'
import { parseTar } from '../tar/parse.ts'
import { type IndexedEntry, type Inode, inodeOf, keptXattrs, nameOf } from './canonical-entry.ts'
import { EntryTable } from './entry-table.ts'
import { FileWindow } from './file-window.ts'

/** For headers while they are compared; larger ones get memory of their own. */
const SCRATCH = 16 * 1024

export type TarIndex = {
  readonly entries: EntryTable
  readonly written: { readonly sha256: Sha256; readonly size: number }
  /** Whether every header, and the end, is encoded as `encodeTarHeader` would: then only order and leaders can differ. */
  readonly encoded: boolean
}

/** Reads the whole file once, front to back: digest of the archive, digest of each content, and the index of members. */
export function indexTar(fd: number, limits: TarLimits): TarIndex {
  const window = new FileWindow(fd)
  const keys = new NameTable()
  const parser = parseTar(limits, keys)
  const entries = new EntryTable(keys)
  const scratch = Buffer.alloc(SCRATCH)
  let encoded = true
  let end = 0
  let step = parser.next(new Uint8Array())
  while (step.done !== true) {
    if ('need' in step.value) {
      step = parser.next(window.take(step.value.need))
      continue
    }
    const { member } = step.value
    const index = leaderOf(member, entries)
    const leader = index === null ? null : entries.at(index)
    if (leader !== null) checkLink(member, leader)
    // Before the content is passed over: the header lies in the window.
    encoded &&= isEncoded(member, leader, scratch)
    entries.add(member, index ?? readInode(member, window))
    end = window.offset + ((512 - (window.offset % 512)) % 512)
    step = parser.next(new Uint8Array())
  }
  const written = window.finish()
  return { entries, written, encoded: encoded && written.size === end + endPadding(end) }
}

/** The entry that a hard link stands for; null for everything else. */
function leaderOf({ linkIndex }: ParsedMember, entries: EntryTable): number | null {
  return linkIndex === null ? null : (entries.leaderOf(linkIndex) ?? linkIndex)
}

function readInode(member: ParsedMember, window: FileWindow): Inode {
  if (member.type === 'hardlink') throw new Error('a hard link has no inode of its own')
  return inodeOf(member, member.type, digestContent(member, window))
}

/** All names of a file share one inode; a header that says otherwise would be believed by some programs and not by others. */
function checkLink(member: ParsedMember, leader: IndexedEntry): void {
  const xattrs = keptXattrs(member.xattrs)
  const same =
    member.mode === leader.mode &&
    member.uid === leader.uid &&
    member.gid === leader.gid &&
    member.mtime === leader.mtime &&
    (xattrs.length === 0 || JSON.stringify(xattrs) === JSON.stringify(leader.inode.xattrs))
  if (same) return
  throw new Failure({
    code: 'tar-link-metadata',
    message: 'a hard link has another mode, owner, time or attribute than the file it names',
    hint: 'write the archive from a file system, where all names of a file share these',
    data: { offset: member.headerOffset, path: escapeLatin1(member.name) },
  })
}

function isEncoded(member: ParsedMember, leader: IndexedEntry | null, scratch: Buffer): boolean {
  if (member.sparse !== null) return false
  const expected =
    leader === null ? { ...member, xattrs: keptXattrs(member.xattrs) } : { ...member, linkName: nameOf(leader.key), xattrs: [] }
  return Buffer.compare(member.rawHeader, encodeNamedHeader(expected, scratch)) === 0
}

function digestContent(member: ParsedMember, window: FileWindow): Sha256 | null {
  if (member.type !== 'file') return null
  const fail = (): Error => tarFailure('tar-truncated', { offset: member.headerOffset, path: escapeLatin1(member.name) })
  if (member.sparse === null) {
    const whole = window.whole(member.size)
    if (whole !== undefined) return sha256Of({ digest: (encoding) => digestOf('sha256', whole, encoding) })
  }
  const content = createHash('sha256')
  let at = 0
  for (const extent of member.sparse ?? [{ offset: 0, length: member.size }]) {
    digestHole(content, extent.offset - at)
    for (let left = extent.length; left > 0; ) {
      const part = window.some(left)
      if (part.length === 0) throw fail()
      content.update(part)
      left -= part.length
    }
    at = extent.offset + extent.length
  }
  digestHole(content, member.size - at)
  return sha256Of(content)
}

function digestHole(content: Hash, length: number): void {
  for (let left = length; left > 0; left -= ZEROS.length) content.update(left < ZEROS.length ? ZEROS.subarray(0, left) : ZEROS)
}
