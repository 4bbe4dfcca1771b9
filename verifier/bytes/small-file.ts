import { constants, type FileHandle, open } from 'node:fs/promises'

/** Why a file was not read. `no-file`: it is a folder, a pipe, a device. */
export type Unread = 'absent' | 'no-file' | 'too-large' | 'failed'

export type SmallFile =
  | { readonly bytes: Buffer /** Who may read, write and execute it. */; readonly mode: number }
  | { readonly bytes: null; readonly why: Unread /** What the file system said. */; readonly cause?: NodeJS.ErrnoException }

export type SmallFileOptions = {
  readonly maxBytes: number
  /** Whether a symbolic link may stand in the place of the file; yes if not given. */
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

/**
 * Reads a file that somebody named: whole, up to a size, and only a regular one. A pipe would be waited for, a device read for ever, and
 * the size that a file states need not be what comes out of it. Rejects with the signal's reason, and with nothing else.
 */
export async function readSmallFile(file: string, o: SmallFileOptions): Promise<SmallFile> {
  try {
    // Not blocking, which opening a pipe does.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | (o.follow === false ? constants.O_NOFOLLOW : 0)
    await using handle = await open(file, flags)
    const stats = await handle.stat()
    if (!stats.isFile()) return { bytes: null, why: 'no-file' }
    const bytes = stats.size > o.maxBytes ? null : await readUpTo(handle, stats.size, o)
    return bytes === null ? { bytes, why: 'too-large' } : { bytes, mode: stats.mode & 0o777 }
  } catch (error) {
    o.signal?.throwIfAborted()
    const cause = error as NodeJS.ErrnoException
    return { bytes: null, why: cause.code === 'ENOENT' ? 'absent' : 'failed', cause }
  }
}

/** At first, for files that state less than they hold. */
const LEAST = 4096

/** Null where there is more. */
async function readUpTo(handle: FileHandle, stated: number, { maxBytes, signal }: SmallFileOptions): Promise<Buffer | null> {
  // One byte more than is stated, and at last than is taken, so that more shows.
  let buffer = Buffer.allocUnsafeSlow(Math.min(Math.max(stated + 1, LEAST), maxBytes + 1))
  for (let size = 0; size <= maxBytes; ) {
    signal?.throwIfAborted()
    if (size === buffer.length) buffer = Buffer.concat([buffer], Math.min(2 * size, maxBytes + 1))
    const { bytesRead } = await handle.read(buffer, size)
    if (bytesRead === 0) return buffer.subarray(0, size)
    size += bytesRead
  }
  return null
}
