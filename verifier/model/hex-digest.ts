import type { Sha256 } from './digest.ts'

const HEX = /^[0-9a-f]{64}$/

/** What `Sha256` says of a text, without zod: that alone would be most of what a thread that only reads an archive holds. */
export function isSha256(text: string): text is Sha256 {
  return HEX.test(text)
}

/** The digest of what a hash has seen. */
export function sha256Of(hash: { digest(encoding: 'hex'): string }): Sha256 {
  const text = hash.digest('hex')
  if (!isSha256(text)) throw new Error('not a SHA-256')
  return text
}
