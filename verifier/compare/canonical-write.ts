import { createHash } from 'node:crypto'
import { readSync, writeSync } from 'node:fs'
import type { Sha256 } from '../model/digest.ts'
import { sha256Of } from '../model/hex-digest.ts'
import { paddingAfter } from '../tar/bytes.ts'
import { encodeNamedHeader, endPadding } from '../tar/encode.ts'
import type { Inode } from './canonical-entry.ts'
import { tarEntryOf } from './canonical-entry.ts'
import type { OrderedEntries } from './canonical-order.ts'

const BUFFER = 256 * 1024

/** Writes the canonical tar from the members of `input`; `output` null digests only. */
export function writeCanonical(o: { members: OrderedEntries; input: number; output: number | null }): { sha256: Sha256; size: number } {
  const { order, leaders, entries } = o.members
  const sink = new DigestingSink(o.output)
  const scratch = Buffer.alloc(16 * 1024)
  for (const index of order) {
    const entry = entries.at(index)
    const leader = leaders[index] ?? -1
    sink.bytes(encodeNamedHeader(tarEntryOf(entry, leader === -1 ? null : entries.keyAt(leader)), scratch))
    if (leader === -1 && entry.inode.type === 'file') writeContent(sink, o.input, entry.inode)
  }
  sink.zeros(endPadding(sink.size))
  return sink.finish()
}

function writeContent(sink: DigestingSink, input: number, inode: Inode): void {
  let at = 0
  let stored = inode.dataOffset
  for (const extent of inode.sparse ?? [{ offset: 0, length: inode.size }]) {
    sink.zeros(extent.offset - at)
    sink.file(input, stored, extent.length)
    stored += extent.length
    at = extent.offset + extent.length
  }
  sink.zeros(inode.size - at + paddingAfter(inode.size))
}

/** Collects into one large buffer, so that small files cost one read each and the digest and the disk see large pieces. */
class DigestingSink {
  size = 0
  readonly #fd: number | null
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER)
  readonly #hash = createHash('sha256')
  #filled = 0

  constructor(fd: number | null) {
    this.#fd = fd
  }

  bytes(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + this.#room())
      this.#buffer.set(part, this.#filled)
      this.#advance(part.length)
      at += part.length
    }
  }

  zeros(length: number): void {
    for (let left = length; left > 0; ) {
      const part = Math.min(left, this.#room())
      this.#buffer.fill(0, this.#filled, this.#filled + part)
      this.#advance(part)
      left -= part
    }
  }

  file(fd: number, offset: number, length: number): void {
    for (let left = length; left > 0; ) {
      const room = this.#room()
      const read = readSync(fd, this.#buffer, this.#filled, Math.min(left, room), offset + length - left)
      if (read === 0) throw new Error('the input shrank while it was read')
      this.#advance(read)
      left -= read
    }
  }

  finish(): { sha256: Sha256; size: number } {
    this.#flush()
    return { sha256: sha256Of(this.#hash), size: this.size }
  }

  #room(): number {
    if (this.#filled === BUFFER) this.#flush()
    return BUFFER - this.#filled
  }

  #advance(length: number): void {
    this.#filled += length
    this.size += length
  }

  #flush(): void {
    const bytes = this.#buffer.subarray(0, this.#filled)
    this.#hash.update(bytes)
    if (this.#fd !== null) for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at, bytes.length - at)
    this.#filled = 0
  }
}
