import type { Sha256 } from '../model/digest.ts'
import { fromLatin1 } from '../tar/bytes.ts'
import type { ParsedMember, SparseExtent, TarEntry, TarMemberType } from '../tar/member.ts'
import { sortKey } from '../tar/path.ts'

/**
 * One member of the index. The whole index is in memory, so it holds no more than what the copy and the manifest need; its path is
 * kept as the sort key alone.
 */
export type IndexedEntry = {
  readonly key: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: string
  /** For a hard link: the entry that it names, never itself a hard link. */
  readonly leader: IndexedEntry | null
  readonly inode: Inode
}

/** What all names of one hard-link group share. */
export type Inode = {
  readonly type: Exclude<TarMemberType, 'hardlink'>
  readonly size: number
  /** Symlink target, one character a byte. */
  readonly target: string | null
  readonly device: string | null
  readonly xattrs: TarEntry['xattrs']
  readonly dataOffset: number
  readonly sparse: readonly SparseExtent[] | null
  readonly sha256: Sha256 | null
}

/** XFS shows an inode's ACLs to root a second time under these names; they depend on the disk, not on the image. */
const FILE_SYSTEM_XATTR = /^trusted\.SGI_ACL_/

export function keptXattrs(xattrs: TarEntry['xattrs']): TarEntry['xattrs'] {
  return xattrs.some(([name]) => FILE_SYSTEM_XATTR.test(name)) ? xattrs.filter(([name]) => !FILE_SYSTEM_XATTR.test(name)) : xattrs
}

export function inodeOf(member: ParsedMember, type: Inode['type'], sha256: Sha256 | null): Inode {
  const { size, device, dataOffset, sparse } = member
  return { type, size, target: member.linkName, device, xattrs: keptXattrs(member.xattrs), dataOffset, sparse, sha256 }
}

export function indexed(member: ParsedMember, leader: IndexedEntry | null, inode: Inode): IndexedEntry {
  return { key: sortKey(member.name), mode: member.mode, uid: member.uid, gid: member.gid, mtime: member.mtime, leader, inode }
}

export function pathOf(entry: IndexedEntry): Uint8Array {
  return fromLatin1(entry.key === '' ? '.' : entry.key.replaceAll('\0', '/'))
}

/** As it is to be encoded: the name with the content where `leader` is null, else a link to that name. */
export function tarEntryOf(entry: IndexedEntry, leader: IndexedEntry | null): TarEntry {
  const { inode, mode, uid, gid, mtime } = entry
  const base = { path: pathOf(entry), mode, uid, gid, mtime }
  if (leader !== null) return { ...base, type: 'hardlink', size: 0, linkPath: pathOf(leader), device: null, xattrs: [] }
  const { type, size, target, device, xattrs } = inode
  return { ...base, type, size, linkPath: target === null ? null : fromLatin1(target), device, xattrs }
}
