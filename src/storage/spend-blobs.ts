import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { Sha256 } from '../../verifier/model/digest.ts'
import { isMissing } from './blob-failures.ts'
import type { LocalBlobs } from './blob-folder.ts'

/** Removed between two looks at whether there is room enough. */
const AT_ONCE = 32

/**
 * Removes blobs from a folder of blobs, those that were put longest ago first, until there is room enough or none is left that may go:
 * one that was put within `idleMs` may not, nor one that is spared. Says how many went. For a store that is a cache, whose other copies are
 * elsewhere.
 */
export async function spendBlobs(o: {
  readonly folder: string
  readonly blobs: Pick<LocalBlobs, 'remove'>
  readonly spared: ReadonlySet<Sha256>
  readonly idleMs: number
  readonly enough: () => Promise<boolean>
}): Promise<number> {
  let gone = 0
  for (const [at, { sha256 }] of (await oldestFirst(o.folder)).filter((one) => !o.spared.has(one.sha256)).entries()) {
    if (at % AT_ONCE === 0 && (await o.enough())) break
    if (await o.blobs.remove(sha256, o.idleMs)) gone += 1
  }
  return gone
}

async function oldestFirst(folder: string): Promise<readonly { readonly sha256: Sha256; readonly at: number }[]> {
  const found: { sha256: Sha256; at: number }[] = []
  const entries = await readdir(path.join(folder, 'sha256'), { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    const sha256 = Sha256.safeParse(entry.name)
    if (!entry.isFile() || !sha256.success) continue
    try {
      found.push({ sha256: sha256.data, at: (await stat(path.join(entry.parentPath, entry.name))).mtimeMs })
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  return found.toSorted((a, b) => a.at - b.at)
}
