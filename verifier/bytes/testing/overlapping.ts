/** An ASN.1 element of up to 64 KiB. */
export function element(tag: number, content: Uint8Array): Buffer {
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...size), content])
}

/** Octet strings of 100 and of 10 bytes by turns, each of which holds the beginnings of some that reach beyond it. Whoever follows them all does not come back. */
export function overlapping(size = 400): Buffer {
  return element(0x04, Buffer.alloc(size, Buffer.of(0x04, 100, 0x04, 10)))
}
