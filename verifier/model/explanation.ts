import { z } from 'zod'
import { Finding } from './finding.ts'

export const EXPLANATION_SCHEMA = 'bitwitness/explanation/v1'

/** What differs about one path. `entry`: it is on one side only; `hard-link`: which names share one file. */
export const Aspect = z.enum(['entry', 'type', 'content', 'size', 'mode', 'owner', 'mtime', 'xattr', 'link', 'device', 'hard-link'])
export type Aspect = z.infer<typeof Aspect>

/** One aspect on both sides, as the tree manifest writes it; null where a side has none. Long values are cut and end in `…`. */
export const Difference = z.strictObject({ aspect: Aspect, left: z.string().nullable(), right: z.string().nullable() })
export type Difference = z.infer<typeof Difference>

/** What was seen in the bytes. All text is escaped (`escapeBytes`) and bounded. */
export const ContentDetail = z.strictObject({
  /** `withheld`: a secret such as a password hash or a private key; its bytes are not shown. */
  format: z.enum(['text', 'binary', 'elf', 'gzip', 'zstd', 'ar', 'pyc', 'zip', 'withheld', 'too-large']),
  /** Lines of a unified diff without file headers; null where there is none. */
  diff: z.array(z.string()).nullable(),
  /** Diff lines that were left out. */
  diffOmitted: z.int().nonnegative(),
  notes: z.array(z.string()),
  /** First differing byte, and up to 16 bytes from there on each side, in hex; null where `diff` says it better. */
  firstDifference: z.strictObject({ offset: z.int().nonnegative(), left: z.string(), right: z.string() }).nullable(),
})
export type ContentDetail = z.infer<typeof ContentDetail>

export const Change = z.strictObject({
  /** As in the tree manifest. */
  path: z.string(),
  kind: z.enum(['added', 'removed', 'changed']),
  what: z.array(Difference),
  /** Debian package that owns the path on either side, where known. */
  package: z.string().nullable(),
  /** Rules that say something about it: `findings[].rule`. */
  rules: z.array(z.string()),
  content: ContentDetail.nullable(),
})
export type Change = z.infer<typeof Change>

export const PackageChange = z.strictObject({
  name: z.string(),
  architecture: z.string(),
  kind: z.enum(['added', 'removed', 'upgraded', 'downgraded']),
  left: z.string().nullable(),
  right: z.string().nullable(),
  /** Differing paths that it explains. */
  paths: z.int().nonnegative(),
})
export type PackageChange = z.infer<typeof PackageChange>

/** Bytes that differ between two artifacts that are no archives of a tree. */
export const DifferingRange = z.strictObject({
  offset: z.int().nonnegative(),
  length: z.int().positive(),
  /** What lies there: partition, section, field; null where unknown. */
  where: z.string().nullable(),
  /** The rule that explains it, or null. */
  rule: z.string().nullable(),
})
export type DifferingRange = z.infer<typeof DifferingRange>

/** Why two artifacts differ. Lists are bounded; `totals` counts what there is, listed or not. */
export const Explanation = z.strictObject({
  schema: z.literal(EXPLANATION_SCHEMA),
  /** `truncated`: something was left out or could not be looked into, as `reason` says; `skip`: nothing could be compared. */
  state: z.enum(['complete', 'truncated', 'skip']),
  reason: z.string().nullable(),
  left: z.string(),
  right: z.string(),
  totals: z.strictObject({
    added: z.int().nonnegative(),
    removed: z.int().nonnegative(),
    changed: z.int().nonnegative(),
    /** Differing paths that `changes` does not list. */
    unlisted: z.int().nonnegative(),
    /** Differing bytes and ranges, where bytes were compared. */
    bytes: z.int().nonnegative(),
    ranges: z.int().nonnegative(),
  }),
  packages: z.array(PackageChange),
  findings: z.array(Finding),
  changes: z.array(Change),
  ranges: z.array(DifferingRange),
})
export type Explanation = z.infer<typeof Explanation>
