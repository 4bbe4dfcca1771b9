import { randomBytes } from 'node:crypto'
import { rm, statfs, writeFile } from 'node:fs/promises'
import path from 'node:path'

/** Whether blobs can be written into this folder of blobs, and how much room there is, in bytes. */
export async function probeBlobs(folder: string): Promise<{ readonly writable: boolean; readonly freeBytes: number }> {
  const { bavail, bsize } = await statfs(folder)
  // Where blobs are written first, so that one that is left behind is swept like theirs.
  const file = path.join(folder, 'tmp', `${process.pid}-${randomBytes(12).toString('hex')}`)
  try {
    await writeFile(file, 'probe', { flag: 'wx', mode: 0o600 })
    return { writable: true, freeBytes: bavail * bsize }
  } catch {
    return { writable: false, freeBytes: bavail * bsize }
  } finally {
    await rm(file, { force: true }).catch(() => {})
  }
}
