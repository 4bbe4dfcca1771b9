import { z } from 'zod'
import { Aspect } from '../../../verifier/model/explanation.ts'

export const CHANGES_SCHEMA = 'bitwitness/changes/v1'

const count = z.int().nonnegative()

export const PackageVersionChange = z.strictObject({
  ecosystem: z.enum(['debian', 'npm']),
  name: z.string(),
  architecture: z.string().nullable(),
  kind: z.enum(['added', 'removed', 'upgraded', 'downgraded']),
  /** Null where it was added. */
  from: z.string().nullable(),
  /** Null where it was removed. */
  to: z.string().nullable(),
})
export type PackageVersionChange = z.infer<typeof PackageVersionChange>

export const FileChange = z.strictObject({
  /** As in the tree manifest. */
  path: z.string(),
  kind: z.enum(['added', 'removed', 'changed']),
  what: z.array(Aspect),
  /** Debian package that owns it on either side, or that it is a record of, where known. */
  package: z.string().nullable(),
})
export type FileChange = z.infer<typeof FileChange>

/** What changed from one image to the next, as far as both are known. Lists are bounded; `totals` count what there is, listed or not. */
export const ChangesDocument = z.strictObject({
  schema: z.literal(CHANGES_SCHEMA),
  /** `undecided`: no change was seen, and not everything could be compared. */
  verdict: z.enum(['unchanged', 'changed', 'undecided']),
  older: z.string(),
  newer: z.string(),
  packages: z.strictObject({
    /** `image`: those that are installed; `inputs`: those that the builds took, by their locks; null: not compared. */
    of: z.enum(['image', 'inputs']).nullable(),
    /** Why they were not compared, or not wholly. */
    reason: z.string().nullable(),
    totals: z.strictObject({ added: count, removed: count, upgraded: count, downgraded: count, unlisted: count }),
    changes: z.array(PackageVersionChange),
  }),
  files: z.strictObject({
    compared: z.boolean(),
    reason: z.string().nullable(),
    totals: z.strictObject({ added: count, removed: count, changed: count, unlisted: count }),
    changes: z.array(FileChange),
  }),
})
export type ChangesDocument = z.infer<typeof ChangesDocument>
