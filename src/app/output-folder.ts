import { access, constants, lstat, readdir, rmdir } from 'node:fs/promises'
import { makeFolder } from '../../verifier/bytes/make-folder.ts'
import { Failure } from '../../verifier/model/failure.ts'

/** Requires a folder that is empty or not there, so that nothing of another run is taken for this one's. */
export async function requireEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder).catch(async (error: NodeJS.ErrnoException) => {
    // A link that leads nowhere is not there to read, and in the way of a folder.
    if (error.code === 'ENOENT' && (await isAbsent(folder))) return []
    throw outputUnusable(error)
  })
  if (entries.length > 0)
    throw new Failure({
      code: 'output-not-empty',
      message: 'the output folder is not empty',
      hint: 'name another, or remove what is in it',
    })
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
