import { constants, type FileHandle, open } from 'node:fs/promises'
import { Failure } from '../model/failure.ts'
import { shownName } from '../model/shown-name.ts'
import { JSON_LIMITS, jsonFailure, parseStrictJson } from '../model/strict-json.ts'
import { readSmallFile, type Unread } from './small-file.ts'

export type NamedFile = {
  /** What it should be, for people: `the report`. */
  readonly what: string
  readonly maxBytes: number
  /** What says that it is larger, if something else than that it cannot be read. */
  readonly tooLarge?: () => Failure
  readonly signal?: AbortSignal
}

const WHY: Readonly<Record<Unread, string>> = {
  absent: 'there is no such file',
  'no-file': 'it is a folder, a pipe or a device',
  'too-large': 'it is larger than any',
  failed: 'the system does not give it out',
}

/** The bytes of a small file that a command was given by its path. Failure: `file-unreadable`. */
export async function readNamedFile(file: string, { what, tooLarge, ...o }: NamedFile): Promise<Buffer> {
  const read = await readSmallFile(file, o)
  if (read.bytes !== null) return read.bytes
  if (read.why === 'too-large' && tooLarge !== undefined) throw tooLarge()
  throw unreadable(what, file, read)
}

/** The same of a file of any size, as they come. */
export async function* namedChunks(
  file: string,
  { what, signal }: { readonly what: string; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<Buffer, void, void> {
  try {
    // Not blocking, which opening a pipe does.
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    if (!(await handle.stat()).isFile()) throw unreadable(what, file, { why: 'no-file' })
    yield* chunksOf(handle, signal)
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof Failure) throw error
    const cause = error as NodeJS.ErrnoException
    throw unreadable(what, file, { why: cause.code === 'ENOENT' ? 'absent' : 'failed', cause })
  }
}

/** What is read from a file, to its end. By hand: the streams of files take longer to load than most files take to be read. */
async function* chunksOf(handle: FileHandle, signal: AbortSignal | undefined): AsyncGenerator<Buffer, void, void> {
  for (let size = FIRST; ; size = MOST) {
    signal?.throwIfAborted()
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(size))
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

/** Bytes that are read at a time: at first what holds most bundles. */
const [FIRST, MOST] = [1 << 16, 1 << 20]

function unreadable(what: string, file: string, { why, cause }: { readonly why: Unread; readonly cause?: unknown }): Failure {
  return new Failure({
    code: 'file-unreadable',
    message: `${what} ${shownName(file)} cannot be read: ${WHY[why]}`,
    hint: 'give the path of a file that is there',
    cause,
  })
}

/** A document that was named by its path, and what its JSON says. Failures: `file-unreadable`, `json-…`. */
export async function readNamedJson(
  file: string,
  what: string,
  signal: AbortSignal,
): Promise<{ readonly bytes: Buffer; readonly value: unknown }> {
  const { maxBytes } = JSON_LIMITS
  const bytes = await readNamedFile(file, { what, maxBytes, tooLarge: () => jsonFailure('json-too-large'), signal })
  return { bytes, value: jsonOfFile(bytes, file) }
}

/** What the JSON of a file says, with the file in the failure where it is none: a command can be given several. Failures: `json-…`. */
export function jsonOfFile(bytes: Uint8Array, file: string): unknown {
  try {
    return parseStrictJson(bytes)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const { code, message, hint } = error
    throw new Failure({ code, message: `${shownName(file)}: ${message}`, hint, cause: error })
  }
}
