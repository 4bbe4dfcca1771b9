import { readdir } from 'node:fs/promises'
import { Failure } from '../../verifier/model/failure.ts'

/** Requires a folder that is empty or not there, so that nothing of another run is taken for this one's. */
export async function requireEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw outputUnusable(error)
  })
  if (entries.length > 0)
    throw new Failure({
      code: 'output-not-empty',
      message: 'the output folder is not empty',
      hint: 'name another, or remove what is in it',
    })
}

export function outputUnusable(cause: unknown): Failure {
  return new Failure({
    code: 'output-unusable',
    message: 'the output folder cannot be used',
    hint: 'name a folder that does not exist yet',
    cause,
  })
}
