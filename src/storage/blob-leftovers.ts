import { link, readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { isMissing, unusable } from './blob-failures.ts'

/** A file that a live process of this machine may still be writing was touched this recently, ms. */
const IDLE = 10 * 60_000
/** Nothing is written for this long, whatever its owner, ms. */
const ABANDONED = 24 * 3600_000

/** What a blob is called, beside what is being written, while it is being removed. */
export function asideName(sha256: string, unique: string): string {
  return `removed-${sha256}-${unique}`
}

/**
 * Clears what killed processes left in the folder where blobs are written. One that was being removed goes back to its place, `placeOf`: it
 * may have been put again in that moment, and whoever removes it does so again.
 */
export async function sweepLeftovers(dir: string, placeOf: (sha256: string) => string, now = Date.now()): Promise<void> {
  for (const name of await readdir(dir)) {
    const file = path.join(dir, name)
    try {
      const { mtimeMs, ctimeMs } = await stat(file)
      const aside = /^removed-([0-9a-f]{64})-/.exec(name)?.[1]
      if (aside !== undefined) {
        if (now - ctimeMs > IDLE) await putBack(file, placeOf(aside))
        continue
      }
      const owner = Number(/^(\d+)-[0-9a-f]+$/.exec(name)?.[1] ?? Number.NaN)
      const idle = now - mtimeMs
      // A process id says little across containers that share the folder, hence the age beside it.
      if (idle > ABANDONED || (idle > IDLE && Number.isSafeInteger(owner) && !isAlive(owner))) await rm(file, { force: true })
    } catch (cause) {
      if (!isMissing(cause)) throw unusable(cause)
    }
  }
}

/** A link never replaces a file: where the blob was put meanwhile, that one stays. */
export async function putBack(aside: string, target: string): Promise<void> {
  await link(aside, target).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(aside, { force: true })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
