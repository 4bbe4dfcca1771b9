import { open } from 'node:fs/promises'
import type { OutputEntry } from '../builder/sandbox.ts'

/** An entry of the output folder, lying in a file of ours. */
export type CollectedOutput = { readonly entry: OutputEntry; readonly file: string }

const PIECE = 1 << 20

/**
 * Writes an entry as it comes to a file whose name is ours. An engine hands its bytes over in small chunks: they are gathered, and one
 * piece is written while the next fills.
 */
export async function spool(entry: OutputEntry, bytes: AsyncIterable<Uint8Array>, file: string): Promise<CollectedOutput> {
  await using handle = await open(file, 'wx', 0o600)
  let [piece, other] = [Buffer.allocUnsafeSlow(PIECE), Buffer.allocUnsafeSlow(PIECE)]
  let filled = 0
  let writing: Promise<unknown> = Promise.resolve()
  const flush = async (): Promise<void> => {
    await writing
    writing = handle.appendFile(piece.subarray(0, filled))
    // Looked at by the next flush, or at the end; until then a rejection must not count as unhandled.
    writing.catch(() => {})
    const full = piece
    piece = other
    other = full
    filled = 0
  }
  try {
    for await (const chunk of bytes)
      for (let at = 0; at < chunk.length; ) {
        const part = chunk.subarray(at, at + PIECE - filled)
        piece.set(part, filled)
        filled += part.length
        at += part.length
        if (filled === PIECE) await flush()
      }
    await flush()
  } finally {
    await writing
  }
  return { entry, file }
}
