import { createHash } from 'node:crypto'

const sha256 = (...parts: Uint8Array[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()

/** A growing Merkle tree in memory, RFC 6962 section 2.1. */
export class LogTree {
  readonly #leaves: Buffer[] = []

  /** Gives the index of the new leaf. */
  append(entry: Uint8Array): number {
    return this.#leaves.push(sha256(Buffer.of(0), entry)) - 1
  }

  get size(): number {
    return this.#leaves.length
  }

  root(): Buffer {
    return rootOf(this.#leaves)
  }

  /** Hashes from the leaf's sibling up to the root. */
  proof(index: number): Buffer[] {
    return path(index, this.#leaves)
  }
}

function rootOf(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves
  if (only === undefined) return sha256()
  if (leaves.length === 1) return only
  const split = splitOf(leaves.length)
  return sha256(Buffer.of(1), rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)))
}

function path(index: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length <= 1) return []
  const split = splitOf(leaves.length)
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)]
  return index < split ? [...path(index, left), rootOf(right)] : [...path(index - split, right), rootOf(left)]
}

/** The largest power of two below `size`. */
function splitOf(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1))
}
