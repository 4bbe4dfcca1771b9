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

export type ContentsOptions = {
  readonly file: string | null
  readonly label: string
  /** Differing paths, one character a byte. */
  readonly paths: ReadonlySet<string>
  readonly limits: ExplainLimits
  readonly signal?: AbortSignal | undefined
}

/** Finds the differing files and the package database in one side's tar. A tar that cannot be read is as good as none. */
export async function openContents(o: ContentsOptions): Promise<Contents> {
  if (o.file === null) return nothing(`the bytes of ${o.label} are not at hand`)
  let handle: FileHandle | undefined
  try {
    handle = await open(o.file, 'r')
    const index = await indexMembers({ handle, wanted: (path) => o.paths.has(path) || isDatabaseFile(path), signal: o.signal })
    const ownership = await readOwnership({ index, paths: o.paths, maxSize: o.limits.maxDatabaseSize })
    const missing = ownership?.cut === true ? `the package database of ${o.label} is too large to read whole` : null
    const opened = handle
    return { index, ownership, missing, [Symbol.asyncDispose]: async () => await opened.close() }
  } catch (error) {
    await handle?.close()
    o.signal?.throwIfAborted()
    if (error instanceof Failure) return nothing(`${o.label} cannot be read as a tar (${error.code})`)
    if (error instanceof Error && 'syscall' in error) return nothing(`${o.label} cannot be read`)
    throw error
  }
}

function nothing(missing: string): Contents {
  return { index: null, ownership: null, missing, [Symbol.asyncDispose]: async () => {} }
}
