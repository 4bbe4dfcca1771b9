import { rename, rm, stat, utimes } from 'node:fs/promises'
import { isMissing } from './blob-failures.ts'
import { putBack } from './blob-leftovers.ts'

/**
 * Removes a blob that nobody put for so long; false where somebody did. Who puts a blob that is there touches it, or finds that it is gone
 * and writes it. So it is taken aside first, where nobody touches it any more, and goes back if it was touched by then: to look first would
 * leave a moment between. `aside` is on the same file system.
 */
export async function removeIdle({ target, aside, idleMs }: { target: string; aside: string; idleMs: number }): Promise<boolean> {
  try {
    await rename(target, aside)
  } catch (error) {
    if (isMissing(error)) return true
    throw error
  }
  if (Date.now() - (await stat(aside)).mtimeMs < idleMs) {
    await putBack(aside, target)
    return false
  }
  await rm(aside, { force: true })
  return true
}

/** Notes that a blob that is there was put again; false where it is gone by now. */
export async function touch(target: string): Promise<boolean> {
  const now = new Date()
  try {
    await utimes(target, now, now)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
