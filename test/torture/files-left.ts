import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { sql } from 'drizzle-orm'
import type { StoreRoom } from '../../src/store-room.ts'
import { rowsOf } from '../rows.ts'

/** Files of a home that nothing in its database knows, and the other way round. */
export async function wrongBlobs(store: StoreRoom, home: string): Promise<readonly string[]> {
  const files = new Set(
    (await readdir(path.join(home, 'blobs', 'sha256'), { recursive: true, withFileTypes: true }))
      .filter((one) => one.isFile())
      .map(({ name }) => name),
  )
  const rows = await rowsOf<{ sha256: string }>(store, sql`select sha256 from blobs`)
  const known = new Set(rows.map(({ sha256 }) => sha256))
  return [
    ...[...known].filter((sha256) => !files.has(sha256)).map((sha256) => `a blob without a file: ${sha256}`),
    ...[...files].filter((sha256) => !known.has(sha256)).map((sha256) => `a file without a blob: ${sha256}`),
  ]
}

/** What processes that were killed left in their homes and that nobody took away. */
export async function wrongFiles(homes: readonly string[]): Promise<readonly string[]> {
  const found: string[] = []
  for (const home of homes) {
    for (const folder of ['work', 'blobs/tmp'])
      for (const name of await readdir(path.join(home, folder))) found.push(`left: ${path.join(home, folder, name)}`)
    for (const name of await readdir(home)) if (name.startsWith('.control-')) found.push(`left: ${path.join(home, name)}`)
  }
  return found
}

/** Processes that name a folder of ours, other than ourselves. */
export async function processesNaming(folder: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
    if (words.some((word) => word.includes(`${folder}/`))) found.push(`a process: ${words.join(' ')}`)
  }
  return found
}
