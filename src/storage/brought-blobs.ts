import { mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Sha256 } from '../../verifier/model/digest.ts'
import { isMissing, unusable } from './blob-failures.ts'

const HOUR_MS = 3600_000

/**
 * Which blobs somebody brought into a folder of blobs, and when: empty files `brought/<hour since 1970>/<64 digits>`, each made before the
 * blob itself is there. Whoever brings bytes first and notes elsewhere what they are for may be killed in between; by these it is found out
 * what nobody noted. Failures: `blob-folder-unusable`.
 */
export class BroughtBlobs {
  readonly #dir: string

  constructor(dir: string) {
    this.#dir = path.join(dir, 'brought')
  }

  /** Notes a blob that is about to be there. */
  async bring(sha256: Sha256): Promise<void> {
    const hour = path.join(this.#dir, String(Math.floor(Date.now() / HOUR_MS)))
    const file = path.join(hour, Sha256.parse(sha256))
    try {
      await mkdir(hour, { recursive: true })
      await writeFile(file, '').catch(async (error: unknown) => {
        // Whoever settles the last hours takes an empty folder away.
        if (!isMissing(error)) throw error
        await mkdir(hour, { recursive: true })
        await writeFile(file, '')
      })
    } catch (cause) {
      throw unusable(cause)
    }
  }

  /** Has `work` look at those that were brought longer ago than that, at most so many at a time, each until it was looked at once. */
  async settle(
    o: { readonly idleMs: number; readonly atOnce: number },
    work: (digests: readonly Sha256[]) => Promise<void>,
  ): Promise<void> {
    const before = Math.floor((Date.now() - o.idleMs) / HOUR_MS)
    for (const hour of await namesIn(this.#dir)) {
      if (!/^\d{1,12}$/.test(hour) || Number(hour) >= before) continue
      const folder = path.join(this.#dir, hour)
      const digests = (await namesIn(folder)).flatMap((name) => Sha256.safeParse(name).data ?? [])
      for (let from = 0; from < digests.length; from += o.atOnce) {
        const some = digests.slice(from, from + o.atOnce)
        await work(some)
        for (const sha256 of some) await rm(path.join(folder, sha256), { force: true })
      }
      await rmdir(folder).catch(() => {
        // Another coordinator did, or something is in it that is not ours.
      })
    }
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw unusable(error)
  }
}
