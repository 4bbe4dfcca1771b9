import { lstat, readdir } from 'node:fs/promises'
import path from 'node:path'
import { sourceFailure } from '../failures.ts'

const EVERY = 250

/**
 * Runs something that writes below `folder`, and aborts it with `source-size-limit` once that holds more than `maxSize` bytes. git has no
 * such limit of its own for a fetch; between two looks a fast network may add some more.
 */
export async function withinSize<T>(folder: string, maxSize: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const exceeded = new AbortController()
  let looking: Promise<void> = Promise.resolve()
  let busy = false
  const look = async (): Promise<void> => {
    if ((await sizeOf(folder)) > maxSize) exceeded.abort(sourceFailure('source-size-limit', { limit: maxSize }))
    busy = false
  }
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    looking = look()
  }, EVERY)
  try {
    const result = await run(exceeded.signal)
    clearInterval(timer)
    await looking
    await look()
    exceeded.signal.throwIfAborted()
    return result
  } finally {
    clearInterval(timer)
    await looking
  }
}

/** Bytes of all files below a folder. Files come and go meanwhile: one that is gone has no size. */
export async function sizeOf(folder: string): Promise<number> {
  let size = 0
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const inside = path.join(folder, entry.name)
    if (entry.isDirectory()) size += await sizeOf(inside)
    else
      size += await lstat(inside).then(
        (status) => status.size,
        () => 0,
      )
  }
  return size
}
