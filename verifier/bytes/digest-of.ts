import { createHash } from 'node:crypto'
import type { Sha256 } from '../model/digest.ts'
import { sha256Of } from '../model/hex-digest.ts'

/** The sha256 of bytes that are at hand, or of a text in UTF-8. */
export function digestOf(bytes: Uint8Array | string): Sha256 {
  return sha256Of(createHash('sha256').update(bytes))
}
