/** Bounds on one source. Sizes are bytes, times milliseconds. */
export type SourceLimits = {
  /** Files, folders and links. */
  readonly maxEntries: number
  readonly maxFileSize: number
  /** Of all files together, unpacked. */
  readonly maxTotalSize: number
  readonly maxPathLength: number
  readonly maxDepth: number
  /** Of all paths and link targets together, folders that are only implied among them. */
  readonly maxPathsSize: number
  /** Of an archive as it is. */
  readonly maxArchiveSize: number
  /** Unpacked over packed, looked at once more than 64 MiB came out. */
  readonly maxRatio: number
  /** Of what git stores of a repository. */
  readonly maxFetchSize: number
  /** Branches and tags that are looked at. */
  readonly maxRefs: number
  readonly maxTime: number
}

const MIB = 1024 ** 2

export const SOURCE_LIMITS: SourceLimits = {
  maxEntries: 100_000,
  maxFileSize: 1024 * MIB,
  maxTotalSize: 4096 * MIB,
  // Room for the folder that it is laid out in: Linux takes paths of 4095 bytes.
  maxPathLength: 2048,
  maxDepth: 128,
  maxPathsSize: 32 * MIB,
  maxArchiveSize: 2048 * MIB,
  maxRatio: 250,
  maxFetchSize: 4096 * MIB,
  maxRefs: 200_000,
  maxTime: 15 * 60_000,
}
