/** An archive as the pieces that it is made of, in order. */
export type Parts = readonly Uint8Array[]

/** The same bytes in as few pieces as they lie in memory. */
export function joined(parts: Parts): Uint8Array[] {
  const whole: Uint8Array[] = []
  for (const part of parts) {
    const last = whole.at(-1)
    if (part.length === 0) continue
    if (last !== undefined && last.buffer === part.buffer && last.byteOffset + last.length === part.byteOffset)
      whole[whole.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + part.length)
    else whole.push(part)
  }
  return whole
}

export function sizeOf(parts: Parts): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}

/** Stretches of `next` that do not lie where `held` has the very same memory: what has to be written to make one of the other. */
export function* fresh(held: Parts, next: Parts): Generator<{ readonly offset: number; readonly bytes: Uint8Array }, void, void> {
  let offset = 0
  let index = 0
  let start = 0
  for (const part of next) {
    for (let at = 0; at < part.length; ) {
      let old = held[index]
      while (old !== undefined && start + old.length <= offset) {
        start += old.length
        index += 1
        old = held[index]
      }
      const room = old === undefined ? Number.POSITIVE_INFINITY : start + old.length - offset
      const bytes = part.subarray(at, at + room)
      const same = old !== undefined && old.buffer === bytes.buffer && old.byteOffset + offset - start === bytes.byteOffset
      if (!same) yield { offset, bytes }
      at += bytes.length
      offset += bytes.length
    }
  }
}

/** Where two archives part; undefined where they are the same bytes. */
export function firstDifference(original: Uint8Array, parts: Parts): number | undefined {
  for (const { offset, bytes } of fresh([original], parts)) {
    const there = original.subarray(offset, offset + bytes.length)
    if (Buffer.compare(there, bytes) === 0) continue
    const at = bytes.findIndex((byte, index) => byte !== there[index])
    return offset + (at === -1 ? bytes.length : at)
  }
  const size = sizeOf(parts)
  return size < original.length ? size : undefined
}
