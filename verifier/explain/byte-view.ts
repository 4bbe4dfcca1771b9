import type { FileHandle } from 'node:fs/promises'
import type { SparseExtent } from '../tar/member.ts'

/** Bytes that can be read anywhere: a member of a tar, a whole file, a partition of it. */
export interface ByteView {
  readonly size: number
  /** The bytes from `offset`; fewer than `length` only at the end. The result is the caller's to keep. */
  read(offset: number, length: number): Promise<Buffer>
}

/** A stretch of a file. What the file lacks at its end is missing from the view. */
export function viewFile(handle: FileHandle, stretch: { readonly offset: number; readonly size: number }): ByteView {
  return {
    size: stretch.size,
    async read(offset, length) {
      const wanted = Math.max(0, Math.min(length, stretch.size - offset))
      const buffer = Buffer.allocUnsafe(wanted)
      let filled = 0
      while (filled < wanted) {
        const { bytesRead } = await handle.read(buffer, filled, wanted - filled, stretch.offset + offset + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return filled === wanted ? buffer : buffer.subarray(0, filled)
    },
  }
}

/** A file that is stored as stretches of `stored`, one after the other; between them there are zeros. */
export function viewSparse(stored: ByteView, extents: readonly SparseExtent[], size: number): ByteView {
  const placed: { readonly from: number; readonly to: number; readonly at: number }[] = []
  let at = 0
  for (const { offset, length } of extents) {
    placed.push({ from: offset, to: offset + length, at })
    at += length
  }
  return {
    size,
    async read(offset, length) {
      const wanted = Math.max(0, Math.min(length, size - offset))
      const buffer = Buffer.alloc(wanted)
      for (const extent of placed) {
        const from = Math.max(extent.from, offset)
        const to = Math.min(extent.to, offset + wanted)
        if (from >= to) continue
        const part = await stored.read(extent.at + from - extent.from, to - from)
        part.copy(buffer, from - offset)
      }
      return buffer
    },
  }
}

export function viewBuffer(bytes: Uint8Array): ByteView {
  return { size: bytes.length, read: async (offset, length) => Buffer.from(bytes.subarray(offset, offset + length)) }
}

/** A part of another view. */
export function viewPart(view: ByteView, offset: number, size: number): ByteView {
  const inside = Math.max(0, Math.min(size, view.size - offset))
  return { size: inside, read: (at, length) => view.read(offset + at, Math.max(0, Math.min(length, inside - at))) }
}
