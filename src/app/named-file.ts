import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { JSON_LIMITS, jsonFailure, parseStrictJson } from '../../attestations/statement/strict-json.ts'
import { readSmallFile, type Unread } from '../../verifier/bytes/small-file.ts'
import { Failure } from '../../verifier/model/failure.ts'

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
  throw unreadable(what, read.why, read.cause)
}

/** The same of a file of any size, as they come. */
export async function* namedChunks(
  file: string,
  { what, signal }: { readonly what: string; readonly signal: AbortSignal },
): AsyncGenerator<Buffer, void, void> {
  try {
    // Not blocking, which opening a pipe does.
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    if (!(await handle.stat()).isFile()) throw unreadable(what, 'no-file')
    for await (const part of handle.createReadStream({ highWaterMark: 1 << 20, autoClose: false, signal })) yield part as Buffer
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Failure) throw error
    const cause = error as NodeJS.ErrnoException
    throw unreadable(what, cause.code === 'ENOENT' ? 'absent' : 'failed', cause)
  }
}

function unreadable(what: string, why: Unread, cause?: unknown): Failure {
  return new Failure({
    code: 'file-unreadable',
    message: `${what} cannot be read: ${WHY[why]}`,
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
  return { bytes, value: parseStrictJson(bytes) }
}
