import type { X509Certificate } from '@sigstore/core'

/**
 * Whether bytes are DER (X.690 §10.1) as far as lengths go: each in its one shortest form, nothing left over, small tags only. Then there
 * is no second encoding of the same certificate.
 */
export function isDer(bytes: Uint8Array, depth = 0): boolean {
  if (depth > 32) return false
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0
    const header = headerAt(bytes, at)
    if (header === undefined || (tag & 0x1f) === 0x1f) return false
    const end = at + header.size + header.length
    if (end > bytes.length) return false
    const constructed = (tag & 0x20) !== 0
    if (constructed && !isDer(bytes.subarray(at + header.size, end), depth + 1)) return false
    at = end
  }
  return true
}

/** Sizes of a tag with its length, and of what follows; undefined where the length is not in its shortest form. */
function headerAt(bytes: Uint8Array, at: number): { readonly size: number; readonly length: number } | undefined {
  const first = bytes[at + 1]
  if (first === undefined) return undefined
  if (first < 0x80) return { size: 2, length: first }
  const count = first & 0x7f
  if (count === 0 || count > 3 || at + 2 + count > bytes.length) return undefined
  let length = 0
  for (let index = 0; index < count; index += 1) length = length * 256 + (bytes[at + 2 + index] ?? 0)
  return length >= 0x80 && length >= 256 ** (count - 1) ? { size: 2 + count, length } : undefined
}

/**
 * Keeps a certificate's own bytes with it. The library encodes it again, a few bytes at a time, whenever it compares two or checks a
 * signature: that was half of what verifying a bundle cost. `der`: the bytes that it was parsed from, which are DER.
 */
export function keepDer(certificate: X509Certificate, der: Buffer): X509Certificate {
  const outer = headerAt(der, 0)
  const inner = outer === undefined ? undefined : headerAt(der, outer.size)
  if (outer === undefined || inner === undefined) return certificate
  const tbs = der.subarray(outer.size, outer.size + inner.size + inner.length)
  certificate.root.toDER = () => der
  certificate.tbsCertificate.toDER = () => tbs
  return certificate
}
