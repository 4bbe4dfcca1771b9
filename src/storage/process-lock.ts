import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { Failure } from '../../verifier/model/failure.ts'
import { isAlive, processIdentity } from './process-identity.ts'

/**
 * Holds `file` for this process until it is disposed of. A lock whose process was killed is taken over. Fails with `home-in-use` where
 * the process that has it still runs.
 */
export async function lockForProcess(file: string): Promise<AsyncDisposable> {
  const mark = `${file}.${randomBytes(8).toString('hex')}`
  const content = `${processIdentity()} ${randomBytes(8).toString('hex')}\n`
  await writeFile(mark, content, { flag: 'wx', mode: 0o600 })
  try {
    for (let tries = 0; tries < 10; tries += 1) {
      // A link appears with its content, or not at all.
      const made = await link(mark, file).then(
        () => true,
        (error: NodeJS.ErrnoException) => (error.code === 'EEXIST' ? false : Promise.reject(error)),
      )
      if (made) return { [Symbol.asyncDispose]: () => release(file, content) }
      const holder = await readFile(file, 'utf8').catch(() => '')
      if (holder !== '' && isAlive(holder.split(' ')[0] ?? '')) throw inUse()
      await takeAway(file, `${mark}.old`, holder)
    }
    throw inUse()
  } finally {
    await rm(mark, { force: true })
  }
}

/** Removes a dead process's lock, and gives back one that somebody else made meanwhile. */
async function takeAway(file: string, aside: string, dead: string): Promise<void> {
  await rename(file, aside).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  const moved = await readFile(aside, 'utf8').catch(() => '')
  if (moved !== '' && moved !== dead) await link(aside, file).catch(() => {})
  await rm(aside, { force: true })
}

async function release(file: string, content: string): Promise<void> {
  if ((await readFile(file, 'utf8').catch(() => '')) === content) await rm(file, { force: true })
}

function inUse(): Failure {
  return new Failure({
    code: 'home-in-use',
    message: 'another process has the database of this home open',
    hint: 'stop it, give this one another BITWITNESS_HOME, or set DATABASE_URL: a PostgreSQL server takes many processes',
  })
}
