import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { makeWhole } from '../../verifier/bytes/whole-file.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'

/** That a blob is in the home, whole. */
export const BlobRead = z.strictObject({
  schema: z.literal('bitwitness/blob/v1'),
  sha256: Sha256,
  size: z.int().nonnegative(),
})
export type BlobRead = z.infer<typeof BlobRead>

export type ReadBlobCommand = {
  readonly sha256: Sha256
  /** File that takes the bytes and appears whole or not at all; null where `show` takes them. */
  readonly output: string | null
  /** Given the bytes piece by piece where there is no file. A damaged blob has been shown in part when it is found out. */
  readonly show: (bytes: Uint8Array) => void
  readonly signal: AbortSignal
}

/**
 * Reads a stored blob such as a log, a lock, a tree manifest or an explanation, and holds it against its digest. Rejects with
 * `blob-missing`, `blob-damaged`, `blob-unwritten` and the signal's reason.
 */
export async function readBlob(blobs: BlobStore, { sha256, output, show, signal }: ReadBlobCommand): Promise<BlobRead> {
  let size = 0
  const stored = await blobs.open(sha256)
  const bytes = async function* (): AsyncGenerator<Uint8Array, void, void> {
    for await (const piece of stored) {
      signal.throwIfAborted()
      size += piece.length
      yield piece
    }
  }
  if (output === null) for await (const piece of bytes()) show(piece)
  else await write(output, bytes)
  return { schema: 'bitwitness/blob/v1', sha256, size }
}

async function write(file: string, bytes: () => AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await makeWhole(file, (part) => pipeline(bytes, createWriteStream(part, { flags: 'wx', mode: 0o600 })))
  } catch (cause) {
    // Of the store and of whoever interrupted; what has a code of the system's is about the file.
    if (cause instanceof Failure || !(cause instanceof Error && 'syscall' in cause)) throw cause
    throw new Failure({
      code: 'blob-unwritten',
      message: 'the blob could not be written to the file',
      hint: 'name a file in a folder that is there, with room for it',
      cause,
    })
  }
}
