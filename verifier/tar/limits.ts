/** Bounds on one archive. All sizes are bytes; file sizes count sparse files at their full size. */
export type TarLimits = {
  readonly maxEntries: number
  readonly maxFileSize: number
  readonly maxTotalSize: number
  readonly maxPathLength: number
  /**
   * Of what an index keeps in memory of all members together: paths, folders that are only implied among them, link targets, owners'
   * names, extended attributes and sparse maps, with a little for each. One limit alone (members, length of a path) would let the others
   * multiply.
   */
  readonly maxIndexSize: number
  /** Of one extended header, long name or sparse map. */
  readonly maxHeaderSize: number
  /** pax keys that are read and dropped because the caller has no use for what they say. Image tars: none. */
  readonly ignoredPaxKeys: readonly string[]
  /**
   * Owners count by number, as they do in an OCI layer. `consistent` refuses names that contradict the numbers: a name for two numbers,
   * `root` for another than 0, or 0 for another than `root`. `ignore` does not look at them.
   */
  readonly ownerNames: 'ignore' | 'consistent'
  /** `filled` reads files with holes; `refused` is for archives of ours, which have none: what is written is then no more than the archive has. */
  readonly holes: 'filled' | 'refused'
}

const MIB = 1024 ** 2
const GIB = 1024 ** 3

/** For image tars: nothing may get lost. */
export const IMAGE_TAR_LIMITS: TarLimits = {
  maxEntries: 1_000_000,
  maxFileSize: 64 * GIB,
  maxTotalSize: 128 * GIB,
  maxPathLength: 4095,
  // A full distribution of 300 000 files comes to a tenth of it.
  maxIndexSize: 256 * MIB,
  maxHeaderSize: MIB,
  ignoredPaxKeys: [],
  // mkosi's tar names owners after the image's own passwd file.
  ownerNames: 'consistent',
  holes: 'filled',
}

/**
 * For source archives, whose owners and times are normalised anyway. `comment` is where git writes the commit; the others are what
 * bsdtar and star add about the machine that packed.
 */
export const SOURCE_TAR_LIMITS: TarLimits = {
  maxEntries: 100_000,
  maxFileSize: GIB,
  maxTotalSize: 4 * GIB,
  maxPathLength: 4095,
  maxIndexSize: 32 * MIB,
  maxHeaderSize: 256 * 1024,
  ignoredPaxKeys: ['comment', 'atime', 'ctime', 'SCHILY.dev', 'SCHILY.ino', 'SCHILY.nlink', 'SCHILY.fflags', 'LIBARCHIVE.creationtime'],
  ownerNames: 'ignore',
  holes: 'filled',
}
