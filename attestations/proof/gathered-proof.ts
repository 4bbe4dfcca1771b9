import { proofFailure } from './failures.ts'
import { instructions } from './instructions.ts'
import { layOut } from './lay-out.ts'
import type { Proof, ProofContent } from './proof.ts'
import type { ProofIndex, ProofMember } from './proof-index.ts'
import { encodeIndex } from './read-index.ts'
import { reviewProof } from './review-proof.ts'
import type { Role } from './roles.ts'

/** A member as it was read, its digest held; null for one that is handed through. */
export type GatheredMember = { readonly member: ProofMember; readonly bytes: Uint8Array | null }

/**
 * A proof of the members that were read, if what they hold belongs together and gives this very index. Failures: those of `reviewProof`,
 * `proof-instructions-differ`, `proof-statement-differs`, `proof-member-order`, `proof-index-differs`.
 */
export function gatheredProof(index: ProofIndex, gathered: readonly GatheredMember[]): Proof {
  const [text] = bytesOf(gathered, 'instructions')
  if (text === undefined || Buffer.compare(text, instructions()) !== 0) throw proofFailure('proof-instructions-differ')
  const proof = reviewProof(contentOf(gathered))
  const laidOut = layOut(proof)
  const expected = new Map(laidOut.members.map(({ member }) => [member.path, member]))
  for (const { path, role, sha256 } of index.members)
    if (role === 'statement' && (expected.get(path)?.sha256 ?? sha256) !== sha256)
      throw proofFailure('proof-statement-differs', { member: path })
  const [paths, right] = [index.members.map(({ path }) => path), [...expected.keys()]]
  if (String(paths) !== String(right) && String(paths.toSorted()) === String(right.toSorted())) throw proofFailure('proof-member-order')
  if (!encodeIndex(index).equals(laidOut.index)) throw proofFailure('proof-index-differs')
  return proof
}

function contentOf(gathered: readonly GatheredMember[]): ProofContent {
  const only = (role: Role): Uint8Array | null => bytesOf(gathered, role)[0] ?? null
  const carried = (role: Role) => gathered.flatMap(({ member: { role: own, sha256, size } }) => (own === role ? [{ sha256, size }] : []))
  const [description, made] = [only('builder'), only('builder-lock')]
  if ((description === null) !== (made === null)) throw proofFailure('proof-builder-missing')
  return {
    report: only('report') ?? new Uint8Array(),
    bundles: bytesOf(gathered, 'bundle'),
    publicKey: only('public-key'),
    trustedRoot: only('trusted-root'),
    lock: only('lock'),
    builder: description === null || made === null ? null : { description, lock: made },
    sbom: only('sbom'),
    treeManifests: carried('tree-manifest'),
    source: carried('source')[0] ?? null,
    inputs: carried('inputs')[0] ?? null,
  }
}

function bytesOf(gathered: readonly GatheredMember[], role: Role): Uint8Array[] {
  return gathered.flatMap(({ member, bytes }) => (member.role === role && bytes !== null ? [bytes] : []))
}
