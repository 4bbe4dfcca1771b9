import type { Claim } from '../../verifier/model/claim.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { type PinnedReference, parsePinnedReference } from '../../verifier/model/image-reference.ts'

/** Where claimed bytes can be had. */
export type ClaimedLocation =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'image'; readonly image: PinnedReference }
  | { readonly kind: 'file'; readonly path: string }

/**
 * Tells what a location is: `https://…` an URL, `docker://…`, `oci://…` and anything that ends in a digest an image in a registry, all else
 * a file. Throws as `parsePinnedReference` does.
 */
export function claimedLocation(text: string): ClaimedLocation {
  if (/^https?:\/\//i.test(text)) return { kind: 'url', url: text }
  if (/^(?:docker|oci):\/\//.test(text) || /@sha256:[0-9a-f]{64}$/.test(text)) return { kind: 'image', image: parsePinnedReference(text) }
  return { kind: 'file', path: text }
}

/** What is claimed: as said, and an image that is given as the claimed one is a claim on its manifest. Throws `claim-missing` for nothing. */
export function claimsOf(said: readonly Claim[], claimed: string | null): readonly Claim[] {
  const location = claimed === null ? null : claimedLocation(claimed)
  const digest = location?.kind === 'image' ? location.image.digest : null
  const known = digest === null || said.some(({ kind, sha256 }) => kind === 'oci-manifest' && sha256 === digest)
  const claims: readonly Claim[] = known ? said : [...said, { kind: 'oci-manifest', name: null, sha256: digest, location: claimed }]
  if (claims.length > 0) return claims
  throw new Failure({
    code: 'claim-missing',
    message: 'there is no claim to hold the rebuild against',
    hint: 'add --claim sha256:…, or --claimed IMAGE@sha256:…, or use check',
  })
}
