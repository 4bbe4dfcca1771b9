import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * The name of a home, which what an engine holds for it is labelled with: read from `file`, made at the first start. Of several processes
 * that start at once all get the same, and a file that a crash left without one is made anew.
 */
export async function homeId(file: string): Promise<string> {
  const known = await read(file)
  if (known !== undefined) return known
  const part = `${file}.${randomUUID()}`
  try {
    await writeFile(part, `${randomUUID()}\n`, { flag: 'wx', mode: 0o600, flush: true })
    await link(part, file).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
      if ((await read(file)) === undefined) await rename(part, file)
    })
    const made = await read(file)
    if (made === undefined) throw new Error('the name of the home does not stay')
    return made
  } finally {
    await rm(part, { force: true })
  }
}

async function read(file: string): Promise<string | undefined> {
  try {
    const text = (await readFile(file, 'utf8')).trim()
    return ID.test(text) ? text : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
