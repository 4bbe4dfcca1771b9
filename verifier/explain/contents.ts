import { type FileHandle, open } from 'node:fs/promises'
import { Failure } from '../model/failure.ts'
import { isDatabaseFile, type Ownership, readOwnership } from './dpkg/ownership.ts'
import type { ExplainLimits } from './limits.ts'
import { indexMembers, type MemberIndex } from './member-index.ts'

/** One side's bytes, as far as they are at hand. */
export type Contents = AsyncDisposable & {
  readonly index: MemberIndex | null
  readonly ownership: Ownership | null
  /** Why something could not be looked into. */
  readonly missing: string | null
}

export type Wanted = {
  /** Differing paths, one character a byte. */
  readonly paths: ReadonlySet<string>
  readonly limits: ExplainLimits
  readonly signal?: AbortSignal | undefined
}

/** Finds the differing files and the package database in one side's tar. A tar that cannot be read is as good as none. */
export async function openTar(side: { readonly file: string | null; readonly label: string }, wanted: Wanted): Promise<Contents> {
  if (side.file === null) return noContents(`the bytes of ${side.label} are not at hand`)
  let handle: FileHandle | undefined
  try {
    handle = await open(side.file, 'r')
    const index = await indexMembers({ handle, wanted: (path) => isWanted(path, wanted), signal: wanted.signal })
    const opened = handle
    return await withOwners(index, { label: side.label, wanted, close: async () => await opened.close() })
  } catch (error) {
    await handle?.close()
    wanted.signal?.throwIfAborted()
    if (error instanceof Failure) return noContents(`${side.label} cannot be read as a tar (${error.code})`)
    if (error instanceof Error && 'syscall' in error) return noContents(`${side.label} cannot be read`)
    throw error
  }
}

export function isWanted(path: string, { paths }: Wanted): boolean {
  return paths.has(path) || isDatabaseFile(path)
}

/** Contents of an index, and what its package database says about the wanted paths. */
export async function withOwners(
  index: MemberIndex,
  o: { readonly label: string; readonly wanted: Wanted; readonly close: () => Promise<void> },
): Promise<Contents> {
  const ownership = await readOwnership({ index, paths: o.wanted.paths, maxSize: o.wanted.limits.maxDatabaseSize })
  const missing = ownership?.cut === true ? `the package database of ${o.label} is too large to read whole` : null
  return { index, ownership, missing, [Symbol.asyncDispose]: o.close }
}

export function noContents(missing: string | null): Contents {
  return { index: null, ownership: null, missing, [Symbol.asyncDispose]: async () => {} }
}
