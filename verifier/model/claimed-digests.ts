import type { Artifact } from './attempt.ts'
import type { Claim } from './claim.ts'
import type { Sha256 } from './digest.ts'

/** dstack identifies an OS image by the digest of this file, which lists the digests of the others. */
export const OS_IMAGE_DIGESTS = 'sha256sum.txt'

/** Whether a claim can be about this artifact, by its kind and its name. */
export function isCandidate(claim: Claim, artifact: Artifact): boolean {
  if (claim.name !== null && claim.name !== artifact.name) return false
  if (claim.kind === 'oci-manifest') return artifact.oci !== null
  if (claim.kind === 'file') return true
  // A tree may have any name; the digest of its tar is that of no list.
  return artifact.format === 'other' && (artifact.name === OS_IMAGE_DIGESTS || artifact.name.endsWith(`/${OS_IMAGE_DIGESTS}`))
}

/** What a claim on this artifact may name and be bit-exact: for a file its canonical form, or the very bytes that mkosi wrote. */
export function digestsFor(claim: Claim, artifact: Artifact): Sha256[] {
  if (claim.kind === 'oci-manifest') return artifact.oci === null ? [] : [artifact.oci.manifest]
  return [artifact.sha256, artifact.written.sha256]
}
