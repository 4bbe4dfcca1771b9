import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'

/**
 * Makes a folder and those above it that are missing. Rejects as the file system does, with EEXIST where something else has the name.
 * Node's own recursion never ends where a file system takes no new names below a folder that is there (procfs answers ENOENT).
 */
export async function makeFolder(folder: string, mode = 0o777): Promise<void> {
  const at = path.resolve(folder)
  const above = path.dirname(at)
  try {
    await makeOne(at, mode)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === at) throw error
    await makeFolder(above, mode)
    await makeOne(at, mode)
  }
}

async function makeOne(folder: string, mode: number): Promise<void> {
  try {
    await mkdir(folder, { mode })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await stat(folder)).isDirectory()) throw error
  }
}
