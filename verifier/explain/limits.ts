/** Bounds on one explanation. Sizes are bytes. */
export type ExplainLimits = {
  /** Differing paths that are listed and judged. */
  readonly maxChanges: number
  /** Differing ranges that are listed. */
  readonly maxRanges: number
  readonly maxPackages: number
  /** Paths that a finding names as samples. */
  readonly maxSamples: number
  /** Files whose contents are looked into. */
  readonly maxInspected: number
  /** Of one file, on each side; a larger one is only searched for its first difference. */
  readonly maxFileSize: number
  /** Read to look into contents, both sides together. */
  readonly maxReadSize: number
  /** Milliseconds spent on looking into contents, so that no image can keep us busy for hours. */
  readonly maxInspectionTime: number
  /** Of one compressed file, unpacked. */
  readonly maxUnpackedSize: number
  /** Of one text that is diffed. */
  readonly maxTextSize: number
  /** Lines kept of one diff. */
  readonly maxDiffLines: number
  /** Lines kept of all diffs. */
  readonly maxTotalDiffLines: number
  /** Insertions and deletions after which a diff is given up. */
  readonly maxEditLength: number
  /** Characters kept of one line. */
  readonly maxLineLength: number
  /** Of one line of a tree manifest. */
  readonly maxManifestLine: number
  /** Of the package database's files on one side. */
  readonly maxDatabaseSize: number
}

const MIB = 1024 ** 2

export const EXPLAIN_LIMITS: ExplainLimits = {
  maxChanges: 50_000,
  maxRanges: 10_000,
  maxPackages: 5_000,
  maxSamples: 10,
  maxInspected: 20_000,
  maxFileSize: 8 * MIB,
  maxReadSize: 1024 * MIB,
  maxInspectionTime: 120_000,
  maxUnpackedSize: 16 * MIB,
  maxTextSize: MIB,
  maxDiffLines: 200,
  maxTotalDiffLines: 50_000,
  maxEditLength: 1_000,
  maxLineLength: 400,
  maxManifestLine: 4 * MIB,
  maxDatabaseSize: 64 * MIB,
}
