export type Range = { readonly offset: number; readonly length: number }

/** Offset of the first byte in which two buffers differ, from `from` on; -1 where there is none within the shorter one. */
export function firstDifference(a: Uint8Array, b: Uint8Array, from = 0): number {
  const end = Math.min(a.length, b.length)
  const BLOCK = 4096
  for (let at = from; at < end; at += BLOCK) {
    const to = Math.min(at + BLOCK, end)
    if (Buffer.compare(a.subarray(at, to), b.subarray(at, to)) === 0) continue
    for (let i = at; i < to; i += 1) if (a[i] !== b[i]) return i
  }
  return -1
}

/**
 * Where two buffers differ over their common length; stretches less than `gap` bytes apart are one. Null where there are more than
 * `max` of them.
 */
export function differingRanges(a: Uint8Array, b: Uint8Array, o: { readonly gap: number; readonly max: number }): Range[] | null {
  const ranges: Range[] = []
  const end = Math.min(a.length, b.length)
  for (let at = firstDifference(a, b); at !== -1; ) {
    let last = at
    for (let i = at + 1; i < end && i - last <= o.gap; i += 1) if (a[i] !== b[i]) last = i
    if (ranges.length === o.max) return null
    ranges.push({ offset: at, length: last - at + 1 })
    at = firstDifference(a, b, last + 1)
  }
  return ranges
}
