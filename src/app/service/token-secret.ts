import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'

/** Bytes of randomness in an API token: more than anybody can try. */
export const TOKEN_BYTES = 32

/** `bw_` and 43 characters: scanners for leaked secrets can know it by its beginning. */
export function tokenSecret(random: Uint8Array): string {
  return `bw_${Buffer.from(random).toString('base64url')}`
}

/**
 * What is stored in place of a token, and looked up by: the sha256 of its text. Whoever compares digests in a time that tells how far they
 * agree tells nothing of the token. Undefined for a text that is no token.
 */
export function tokenDigest(text: string): Sha256 | undefined {
  return /^bw_[A-Za-z0-9_-]{43}$/.test(text) ? digestOf(text) : undefined
}
