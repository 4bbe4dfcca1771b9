import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'

/**
 * Makes a folder and those above it that are missing. Rejects as the file system does, with EEXIST where something else has the name.
 * Node's own recursion never ends where a file system takes no new names below a folder that is there (procfs answers ENOENT).
 */
export async function makeFolder(folder: string, mode = 0o777): Promise<void> {
  const missing: string[] = []
  let at = path.resolve(folder)
  while (!(await made(at, mode))) {
    missing.push(at)
    at = path.dirname(at)
  }
  for (const one of missing.toReversed()) if (!(await made(one, mode))) throw await refusal(one, mode)
}

/** False where the folder above is not there, or takes no names. */
async function made(folder: string, mode: number): Promise<boolean> {
  try {
    await mkdir(folder, { mode })
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && path.dirname(folder) !== folder) return false
    if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return true
    throw error
  }
}

async function refusal(folder: string, mode: number): Promise<unknown> {
  return await mkdir(folder, { mode }).then(
    () => new Error('the folder above came and went'),
    (error: unknown) => error,
  )
}
