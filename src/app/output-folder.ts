import { access, constants, lstat, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import path from 'node:path'
import { makeFolder } from '../../verifier/bytes/make-folder.ts'
import { writeWhole } from '../../verifier/bytes/whole-file.ts'
import { Failure } from '../../verifier/model/failure.ts'

/** Requires a folder that is empty or not there, so that nothing of another run is taken for this one's. */
export async function requireEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder).catch(async (error: NodeJS.ErrnoException) => {
    // A link that leads nowhere is not there to read, and in the way of a folder.
    if (error.code === 'ENOENT' && (await isAbsent(folder))) return []
    throw outputUnusable(error)
  })
  if (entries.length > 0) throw notEmpty()
}

function notEmpty(): Failure {
  return new Failure({
    code: 'output-not-empty',
    message: 'the output folder is not empty',
    hint: 'name another, or remove what is in it',
  })
}

/** Not there when a folder is done; while it is, it keeps another process out. */
const PART = '.part'

/**
 * Writes files into a folder that is empty or not there, made with those above it: all of them, or none. They are written within it and
 * renamed once each of them is there, since the folder itself may be one that cannot be replaced, such as a mount. Rejects with
 * `output-not-empty`, also where another process writes there, and `output-unusable`.
 */
export async function writeOutput(folder: string, files: ReadonlyMap<string, string | Uint8Array>): Promise<void> {
  const part = path.join(folder, PART)
  try {
    await makeFolder(folder)
    await mkdir(part).catch((error: NodeJS.ErrnoException) => Promise.reject(error.code === 'EEXIST' ? notEmpty() : error))
    try {
      if ((await readdir(folder)).length > 1) throw notEmpty()
      for (const [name, content] of files) await writeWhole(path.join(part, name), content)
      for (const name of files.keys()) await rename(path.join(part, name), path.join(folder, name))
    } finally {
      await rm(part, { recursive: true, force: true })
    }
  } catch (cause) {
    throw cause instanceof Failure ? cause : outputUnusable(cause)
  }
}

/**
 * The folder, empty, made where it was not there, before anything costs time. One that stays empty goes again with the disposal. Rejects
 * with `output-not-empty` and `output-unusable`.
 */
export async function claimOutput(folder: string): Promise<AsyncDisposable> {
  await requireEmpty(folder)
  const made = await isAbsent(folder)
  try {
    await makeFolder(folder)
    await access(folder, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw outputUnusable(cause)
  }
  return {
    async [Symbol.asyncDispose]() {
      // Not empty any more: what was written stays.
      if (made) await rmdir(folder).catch(() => {})
    },
  }
}

async function isAbsent(file: string): Promise<boolean> {
  return await lstat(file).then(
    () => false,
    () => true,
  )
}

export function outputUnusable(cause: unknown): Failure {
  return new Failure({
    code: 'output-unusable',
    message: 'the output folder cannot be used',
    hint: 'name a folder that does not exist yet',
    cause,
  })
}
