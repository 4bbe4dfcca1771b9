import { createHash } from 'node:crypto'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { isSha256, sha256Of } from '../../verifier/model/hex-digest.ts'

/** A Content-Digest (RFC 9530 §2) by sha-256 alone. */
export function contentDigest(sha256: Sha256): string {
  return `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`
}

/** Reads what `contentDigest` writes and no other spelling of it; undefined for anything else, a second digest among it. */
export function readContentDigest(field: string): Sha256 | undefined {
  const encoded = /^sha-256=:([A-Za-z0-9+/]{43}=):$/.exec(field)?.[1] ?? ''
  const bytes = Buffer.from(encoded, 'base64')
  const hex = bytes.toString('hex')
  return bytes.toString('base64') === encoded && isSha256(hex) ? hex : undefined
}

/**
 * The same bytes, which end with `content-digest-differs` unless they have this digest. What was made of them before their end counts for
 * nothing until then.
 */
export async function* heldAgainst(body: AsyncIterable<Uint8Array>, sha256: Sha256): AsyncGenerator<Uint8Array, void, void> {
  const hash = createHash('sha256')
  for await (const part of body) {
    hash.update(part)
    yield part
  }
  if (sha256Of(hash) !== sha256)
    throw new Failure({
      code: 'content-digest-differs',
      message: 'the body of the request is not the one that its Content-Digest names',
      hint: 'send it again: it changed on the way, or was not the one that was signed',
    })
}
