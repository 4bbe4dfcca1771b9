import { createHash, hash as digestOf, type Hash } from 'node:crypto'
import { Sha256 } from '../model/digest.ts'
import { Failure } from '../model/failure.ts'
import { escapeBytes } from '../model/tree-manifest.ts'
import { ZEROS } from '../tar/bytes.ts'
import { encodeTarHeader, endPadding } from '../tar/encode.ts'
import { tarFailure } from '../tar/failures.ts'
import type { TarLimits } from '../tar/limits.ts'
import type { ParsedMember } from '../tar/member.ts'
import { parseTar } from '../tar/parse.ts'
import { sortKey } from '../tar/path.ts'
import { type IndexedEntry, type Inode, indexed, inodeOf, keptXattrs, pathOf } from './canonical-entry.ts'
import { FileWindow } from './file-window.ts'

/** For headers while they are compared; larger ones get memory of their own. */
const SCRATCH = 16 * 1024

export type TarIndex = {
  /** In archive order. */
  readonly entries: IndexedEntry[]
  readonly written: { readonly sha256: Sha256; readonly size: number }
  /** Whether every header, and the end, is encoded as `encodeTarHeader` would: then only order and leaders can differ. */
  readonly encoded: boolean
}

/** Reads the whole file once, front to back: digest of the archive, digest of each content, and the index of members. */
export function indexTar(fd: number, limits: TarLimits): TarIndex {
  const window = new FileWindow(fd)
  const parser = parseTar(limits)
  const entries: IndexedEntry[] = []
  const byKey = new Map<string, IndexedEntry>()
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
    const leader = leaderOf(member, byKey)
    // Before the content is passed over: the header lies in the window.
    encoded &&= isEncoded(member, leader, scratch)
    const entry = leader === null ? indexed(member, null, readInode(member, window)) : indexed(member, leader, leader.inode)
    entries.push(entry)
    // Only what a hard link may name has to be found again.
    if (member.type !== 'directory') byKey.set(entry.key, entry)
    end = window.offset + ((512 - (window.offset % 512)) % 512)
    step = parser.next(new Uint8Array())
  }
  const written = window.finish()
  return { entries, written, encoded: encoded && written.size === end + endPadding(end) }
}

/** The entry that a hard link stands for; null for everything else. */
function leaderOf(member: ParsedMember, byKey: ReadonlyMap<string, IndexedEntry>): IndexedEntry | null {
  if (member.type !== 'hardlink') return null
  const target = byKey.get(sortKey(member.linkName ?? ''))
  if (target === undefined) throw tarFailure('tar-link-target-missing', { offset: member.headerOffset })
  const leader = target.leader ?? target
  checkLink(member, leader)
  return leader
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
    data: { offset: member.headerOffset, path: escapeBytes(member.path) },
  })
}

function isEncoded(member: ParsedMember, leader: IndexedEntry | null, scratch: Buffer): boolean {
  if (member.sparse !== null) return false
  const { name: _name, linkName: _linkName, ...entry } = member
  const expected = leader === null ? { ...entry, xattrs: keptXattrs(member.xattrs) } : { ...entry, linkPath: pathOf(leader), xattrs: [] }
  return Buffer.compare(member.rawHeader, encodeTarHeader(expected, scratch)) === 0
}

function digestContent(member: ParsedMember, window: FileWindow): Sha256 | null {
  if (member.type !== 'file') return null
  const fail = (): Error => tarFailure('tar-truncated', { offset: member.headerOffset, path: escapeBytes(member.path) })
  if (member.sparse === null) {
    const whole = window.whole(member.size)
    if (whole !== undefined) return Sha256.parse(digestOf('sha256', whole, 'hex'))
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
  return Sha256.parse(content.digest('hex'))
}

function digestHole(content: Hash, length: number): void {
  for (let left = length; left > 0; left -= ZEROS.length) content.update(left < ZEROS.length ? ZEROS.subarray(0, left) : ZEROS)
}
