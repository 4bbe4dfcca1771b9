import { decodeEntry, type TreeEntry } from '../model/tree-manifest.ts'
import { ManifestCursor } from './manifest-cursor.ts'

/** The entries of one path where they differ; never both null. */
export type EntryPair = { readonly left: TreeEntry | null; readonly right: TreeEntry | null }

export type MergeOptions = {
  readonly left: AsyncIterable<Uint8Array>
  readonly right: AsyncIterable<Uint8Array>
  readonly maxManifestLine: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Merges two tree manifests as they stream by and yields what differs, in canonical order. Equal lines are never parsed, and one chunk
 * of each side is all that is held. Throws `tree-manifest-malformed` or `tree-manifest-unordered`.
 */
export async function* mergeManifests(options: MergeOptions): AsyncGenerator<EntryPair, void, void> {
  const left = new ManifestCursor(options.left, options.maxManifestLine)
  const right = new ManifestCursor(options.right, options.maxManifestLine)
  try {
    await left.begin()
    await right.begin()
    while (left.line !== null || right.line !== null) {
      const order = left.line === null ? 1 : right.line === null || left.key < right.key ? -1 : left.key > right.key ? 1 : 0
      if (order !== 0 || left.line !== right.line) {
        options.signal?.throwIfAborted()
        yield { left: order <= 0 ? read(left) : null, right: order >= 0 ? read(right) : null }
      }
      // Awaiting only where bytes are needed keeps a million equal lines free of a million turns of the queue.
      const steps = [order <= 0 ? left.advance() : undefined, order >= 0 ? right.advance() : undefined]
      for (const step of steps) if (step !== undefined) await step
    }
  } finally {
    await left.close()
    await right.close()
  }
}

function read(cursor: ManifestCursor): TreeEntry | null {
  return cursor.line === null ? null : decodeEntry(cursor.line)
}
