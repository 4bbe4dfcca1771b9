import { createHash } from 'node:crypto'
import { inlineFile, type PlainFile, writeTar } from '../../verifier/tar/write.ts'
import { proofFailure } from './failures.ts'
import { layOut } from './lay-out.ts'
import type { CarriedMember, ProofContent } from './proof.ts'
import { INDEX_NAME, type ProofMember } from './proof-index.ts'
import { reviewProof } from './review-proof.ts'

/**
 * Writes a proof: equal content gives equal bytes. `open` gives the bytes of members that are handed through. What `readProof` would refuse is
 * not written. Failures: those of `reviewProof` and of `layOut`, at once; `proof-member-differs` where opened bytes are not the ones that
 * were said, before the end.
 */
export function packProof(
  content: ProofContent,
  open: (member: CarriedMember) => Promise<AsyncIterable<Uint8Array>>,
): { readonly members: readonly ProofMember[]; readonly bytes: AsyncIterable<Uint8Array> } {
  const { index, members } = layOut(reviewProof(content))
  return { members: members.map(({ member }) => member), bytes: writeTar(files()) }

  async function* files(): AsyncGenerator<PlainFile, void, void> {
    yield inlineFile(INDEX_NAME, index)
    for (const { member, content: bytes } of members)
      if (bytes instanceof Uint8Array) yield inlineFile(member.path, bytes)
      else yield { path: member.path, size: member.size, bytes: holding(await open(bytes), bytes, member.path) }
  }
}

/** Bytes that may have been changed since they were looked at. */
async function* holding(bytes: AsyncIterable<Uint8Array>, { sha256, size }: CarriedMember, path: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let seen = 0
  for await (const chunk of bytes) {
    hash.update(chunk)
    seen += chunk.length
    if (seen > size) break
    yield chunk
  }
  if (seen !== size || hash.digest('hex') !== sha256) throw proofFailure('proof-member-differs', { member: path })
}
