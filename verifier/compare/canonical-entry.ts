import type { Sha256 } from '../model/digest.ts'
import type { NamedEntry, ParsedMember, SparseExtent, TarEntry, TarMemberType } from '../tar/member.ts'

/** What the copy and the manifest need to know of one member. */
export type IndexedEntry = {
  /** Its path as the sort key (`sortKey`). */
  readonly key: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: string
  /** For a hard link: which entry of the index it names, never itself a hard link. */
  readonly leader: number | null
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

export function nameOf(key: string): string {
  return key === '' ? '.' : key.replaceAll('\0', '/')
}

/** As it is to be encoded: the name with the content where `leader` is null, else a link to the name with that key. */
export function tarEntryOf(entry: IndexedEntry, leader: string | null): NamedEntry {
  const { inode, mode, uid, gid, mtime } = entry
  const base = { name: nameOf(entry.key), mode, uid, gid, mtime }
  if (leader !== null) return { ...base, type: 'hardlink', size: 0, linkName: nameOf(leader), device: null, xattrs: [] }
  const { type, size, target, device, xattrs } = inode
  return { ...base, type, size, linkName: target, device, xattrs }
}
