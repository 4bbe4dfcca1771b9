import { firstDifference, type Range } from '../inspect/byte-ranges.ts'
import type { Sides } from './place.ts'

const CHUNK = 1024 * 1024
/** Stretches that are this close are one. */
const GAP = 8

export type ByteDifferences = { readonly ranges: readonly Range[]; readonly total: number; readonly bytes: number }

/** Compares two files in one pass. What one has beyond the end of the other is the last range. Counts what it does not list. */
export async function compareBytes(
  { left, right }: Sides,
  o: { readonly maxRanges: number; readonly signal?: AbortSignal | undefined },
): Promise<ByteDifferences> {
  const ranges: Range[] = []
  let [total, bytes] = [0, 0]
  let open: { offset: number; end: number } | null = null
  const close = (): void => {
    if (open === null) return
    total += 1
    if (ranges.length < o.maxRanges) ranges.push({ offset: open.offset, length: open.end - open.offset })
    open = null
  }
  const differs = (offset: number, end: number): void => {
    bytes += end - offset
    if (open !== null && offset - open.end <= GAP) open.end = end
    else {
      close()
      open = { offset, end }
    }
  }
  const common = Math.min(left.size, right.size)
  for (let at = 0; at < common; at += CHUNK) {
    o.signal?.throwIfAborted()
    const length = Math.min(CHUNK, common - at)
    const [a, b] = await Promise.all([left.read(at, length), right.read(at, length)])
    if (Buffer.compare(a, b) === 0) continue
    for (let i = firstDifference(a, b); i !== -1; ) {
      let end = i + 1
      while (end < length && a[end] !== b[end]) end += 1
      differs(at + i, at + end)
      i = firstDifference(a, b, end)
    }
  }
  if (left.size !== right.size) {
    close()
    differs(common, Math.max(left.size, right.size))
  }
  close()
  return { ranges, total, bytes }
}
