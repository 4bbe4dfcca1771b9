import { z } from 'zod'
import { Sha256 } from './digest.ts'

export const GitCommit = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/)

/** Folder of the recipe inside the source: relative, `/`-separated, `.` for the root. */
export const RecipePath = z.string().max(1024)

/**
 * A source pinned: nothing about it can change any more.
 * `treeDigest` is the sha256 of the tree manifest of the recipe's folder with modes normalised to 644/755, so that a clone and an
 * archive of the same commit agree whatever the umask was.
 */
export const PinnedSource = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('git'),
    /** Without user name and password: reports are passed on, and statements about them end in public logs. */
    url: z.string().refine((text) => {
      const url = URL.parse(text)
      return url === null || (url.username === '' && url.password === '')
    }),
    commit: GitCommit,
    /** Branch or tag of that repository from which the commit is reachable; null: none (a host serves commits of forks under the parent's URL). */
    ref: z.string().nullable(),
    path: RecipePath,
    treeDigest: Sha256,
  }),
  z.strictObject({
    kind: z.literal('archive'),
    name: z.string(),
    /** Of the archive's bytes; null where a folder was given. */
    sha256: Sha256.nullable(),
    path: RecipePath,
    treeDigest: Sha256,
  }),
])
export type PinnedSource = z.infer<typeof PinnedSource>
