export const BLOCK = 512
/** GNU tar pads an archive to whole records of this size. */
export const RECORD = 20 * BLOCK

/** Shared, never written: holes and padding are slices of it. */
export const ZEROS = Buffer.alloc(64 * 1024)

export function paddingAfter(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK
}

export function isZero(bytes: Uint8Array): boolean {
  if (bytes.length > 0 && bytes[0] !== 0) return false
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length)
    if (Buffer.compare(part, ZEROS.subarray(0, part.length)) !== 0) return false
  }
  return true
}

/** One character a byte: string order is then byte order. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

export function fromLatin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}
