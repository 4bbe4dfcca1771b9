export type TarMemberType = 'file' | 'hardlink' | 'symlink' | 'directory' | 'character' | 'block' | 'fifo'

/** What one member says about one entry of a tree: the facts that `encodeTarHeader` writes. */
export type TarEntry = {
  /** Bytes, relative to the root, without leading `./` and trailing slash; `.` for the root. */
  readonly path: Uint8Array
  readonly type: TarMemberType
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Seconds since the epoch in decimal; a fraction only where the archive has one, without trailing zeros. */
  readonly mtime: string
  /** Content bytes of a file (a sparse file's full size); 0 for everything else. */
  readonly size: number
  /** Target of a symlink as written; of a hard link in the same form as `path`. */
  readonly linkPath: Uint8Array | null
  /** `major:minor` of devices. */
  readonly device: string | null
  /**
   * Extended attributes, value in lower-case hex, sorted by name. GNU tar's ACL and SELinux records, which are text and no attributes,
   * go by the names `SCHILY.acl.access`, `SCHILY.acl.default` and `RHT.security.selinux`.
   */
  readonly xattrs: readonly (readonly [name: string, hexValue: string])[]
}

export type TarMember = TarEntry & {
  /** Where its first header (extended headers included) begins in the archive. */
  readonly headerOffset: number
  /** Where the stored content begins. */
  readonly dataOffset: number
}

/** A stretch of stored content: `offset` in the full file, `length` bytes; between stretches there are zeros. */
export type SparseExtent = { readonly offset: number; readonly length: number }

/** An entry with `path` and `linkPath` as text, one character a byte: cheap to keep, to compare and to sort bytewise. */
export type NamedEntry = Omit<TarEntry, 'path' | 'linkPath'> & { readonly name: string; readonly linkName: string | null }

/** What the parser knows of one member. */
export type ParsedMember = NamedEntry & {
  /** As in `TarMember`. */
  readonly headerOffset: number
  readonly dataOffset: number
  /** Of its sort key in the parser's table. */
  readonly keyNumber: number
  /** Of a hard link: which member, counted from 0, it names. Null for everything else. */
  readonly linkIndex: number | null
  /** Bytes of content in the archive, without padding. */
  readonly storedSize: number
  /** Null unless the file is stored sparse. */
  readonly sparse: readonly SparseExtent[] | null
  /** The headers as they stand in the archive; valid until the content is passed over. */
  readonly rawHeader: Uint8Array
}
