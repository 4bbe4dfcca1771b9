import { stat } from 'node:fs/promises'
import path from 'node:path'
import { makeFolder } from '../../verifier/bytes/make-folder.ts'
import { Failure } from '../../verifier/model/failure.ts'

const FOLDERS = ['blobs', 'builders', 'keys', 'work', 'db'] as const

/** Absolute paths of the home and of its folders. */
export type Home = { readonly root: string } & { readonly [F in (typeof FOLDERS)[number]]: string }

/**
 * Makes what is missing of a home, for its owner only. Fails with `home-unusable` where that cannot be, and with `home-not-private`
 * where others may write into one that is there: who can change blobs and keys can change what a report says.
 */
export async function openHome(root: string): Promise<Home> {
  const home = Object.fromEntries(FOLDERS.map((folder) => [folder, path.join(root, folder)])) as Record<(typeof FOLDERS)[number], string>
  for (const folder of [root, ...Object.values(home)]) {
    const found = await make(folder)
    if (!found.isDirectory() || !ownedByUs(found.uid)) throw unusable()
    if ((found.mode & 0o022) !== 0)
      throw new Failure({
        code: 'home-not-private',
        message: 'others may write into the home folder',
        hint: 'take the right from them: chmod -R go-w "$BITWITNESS_HOME"',
      })
  }
  return { root, ...home }
}

async function make(folder: string): Promise<{ mode: number; uid: number; isDirectory: () => boolean }> {
  try {
    await makeFolder(folder, 0o700)
    return await stat(folder)
  } catch (cause) {
    throw unusable(cause)
  }
}

function ownedByUs(uid: number): boolean {
  return process.getuid === undefined || process.getuid() === uid
}

function unusable(cause?: unknown): Failure {
  return new Failure({
    code: 'home-unusable',
    message: 'the home folder cannot be made, or belongs to somebody else',
    hint: 'set BITWITNESS_HOME to a folder of yours on a disk with room, or be the user whose home it is',
    cause,
  })
}
