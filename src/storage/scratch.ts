import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { isAlive, processIdentity } from './process-identity.ts'

export type Scratch = AsyncDisposable & { readonly path: string }

/** Makes a private folder that carries its owner in its name and is removed when it is disposed of. */
export async function makeScratch(work: string): Promise<Scratch> {
  const folder = path.join(work, `${processIdentity()}-${randomBytes(6).toString('hex')}`)
  await mkdir(folder, { mode: 0o700 })
  return {
    path: folder,
    async [Symbol.asyncDispose](): Promise<void> {
      await removeTree(folder)
    },
  }
}

/** Scratch folders whose owner is gone. */
async function abandonedScratch(work: string): Promise<readonly string[]> {
  const names = await readdir(work)
  return names.filter((name) => !isAlive(name.split('-')[0] ?? '')).map((name) => path.join(work, name))
}

/** Removes what a killed process left; gives how many there were. */
export async function sweepScratch(work: string): Promise<number> {
  const abandoned = await abandonedScratch(work)
  for (const folder of abandoned) await removeTree(folder)
  return abandoned.length
}

/** A tree may hold folders without rights for their owner, if we are not root. */
async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  } catch {
    await openUp(folder)
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function openUp(folder: string): Promise<void> {
  await chmod(folder, 0o700)
  for (const entry of await readdir(folder, { withFileTypes: true })) if (entry.isDirectory()) await openUp(path.join(folder, entry.name))
}
