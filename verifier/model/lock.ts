import { z } from 'zod'
import { Sha256 } from './digest.ts'

export const INPUT_LOCK_SCHEMA = 'bitwitness/input-lock/v1'

/** Largest lock that is read: it holds a line an input. */
export const MAX_LOCK_BYTES = 64 << 20

/** Name of an archive in the builder's profile (`debian`, `debian-security`), never a host: a mirror is chosen where the lock is used. */
export const ArchiveName = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)

/** Path below the archive's root: relative, no empty, `.` or `..` component, no query. */
export const ArchivePath = z
  .string()
  .max(1024)
  .regex(/^[A-Za-z0-9._~+%:@=,-]+(\/[A-Za-z0-9._~+%:@=,-]+)*$/)
  .refine((path) => !path.split('/').some((part) => part === '.' || part === '..'), 'has a relative component')

/** A signed index of an archive. */
export const SignedIndex = z.strictObject({
  kind: z.literal('release'),
  archive: ArchiveName,
  path: ArchivePath,
  sha256: Sha256,
  size: z.int().nonnegative(),
  suite: z.string(),
  codename: z.string().nullable(),
  /** `Date:` and `Valid-Until:` of the signed index, ISO 8601 UTC. */
  date: z.string(),
  validUntil: z.string().nullable(),
})
export type SignedIndex = z.infer<typeof SignedIndex>

/** One body that the build took from the network. */
export const Input = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('package'),
    archive: ArchiveName,
    path: ArchivePath,
    sha256: Sha256,
    size: z.int().nonnegative(),
    name: z.string(),
    version: z.string(),
    architecture: z.string(),
  }),
  SignedIndex,
  z.strictObject({ kind: z.literal('index'), archive: ArchiveName, path: ArchivePath, sha256: Sha256, size: z.int().nonnegative() }),
])
export type Input = z.infer<typeof Input>

/**
 * Every byte that a build took from the network, sorted by (archive, path), each once; `absent` are the addresses that the archive
 * answered with 404 (apt asks for optional files). Equal inputs give equal bytes of this document: no mirror, time or host is in it.
 */
export const InputLock = z.strictObject({
  schema: z.literal(INPUT_LOCK_SCHEMA),
  architecture: z.string(),
  /** `YYYYMMDDThhmmssZ` where dated sources were used. */
  snapshot: z.string().nullable(),
  inputs: z.array(Input),
  absent: z.array(z.strictObject({ archive: ArchiveName, path: ArchivePath })),
})
export type InputLock = z.infer<typeof InputLock>

/** The exact bytes of a lock: its digest is the sha256 of them. */
export function encodeLock(lock: InputLock): string {
  const key = (entry: { archive: string; path: string }): string => `${entry.archive}\0${entry.path}`
  const byKey = <T extends { archive: string; path: string }>(a: T, b: T): number => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0)
  return `${JSON.stringify({ ...lock, inputs: lock.inputs.toSorted(byKey), absent: lock.absent.toSorted(byKey) }, null, 1)}\n`
}
