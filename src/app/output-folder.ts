import { lstat, readdir } from 'node:fs/promises'
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
