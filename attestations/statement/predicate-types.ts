import type { Sha256 } from '../../verifier/model/digest.ts'

/** in-toto Statement v1 (in-toto/attestation, spec/v1/statement.md). */
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1'

/** DSSE payload type of an in-toto statement. */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json'

/** Media type of a Sigstore bundle of version 0.3, and the artifact type by which registries list it. */
export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json'

/**
 * Predicate types. Ours are under a URI scheme of our own (RFC 3986): absolute, and defined by nobody who registers a domain name.
 * The others are those of their specifications.
 */
export const PREDICATE_TYPE = {
  /** Every claim was rebuilt bit for bit by every attempt; nothing less. */
  reproduced: 'bitwitness:reproduced/v1',
  /** Every other verdict but undecided. */
  rebuildResult: 'bitwitness:rebuild-result/v1',
  provenance: 'https://slsa.dev/provenance/v1',
  vsa: 'https://slsa.dev/verification_summary/v1',
  sbom: 'https://cyclonedx.org/bom',
} as const

/** Short names of the kinds above, as commands take them and files are named after them. */
export const KIND_NAMES: ReadonlyMap<string, string> = new Map([
  [PREDICATE_TYPE.reproduced, 'reproduced'],
  [PREDICATE_TYPE.rebuildResult, 'rebuild-result'],
  [PREDICATE_TYPE.provenance, 'provenance'],
  [PREDICATE_TYPE.vsa, 'vsa'],
  [PREDICATE_TYPE.sbom, 'sbom'],
])

/** SLSA buildType of our rebuild; docs/statement-provenance.md says what its parameters are. */
export const BUILD_TYPE = 'bitwitness:rebuild/v1'

/** The first part of the builder ids of somebody who runs Bitwitness with a key of their own and has not named a builder. */
export function keyBuilderBase(fingerprint: Sha256): string {
  return `bitwitness:builder/key/${fingerprint}`
}

/** Each security mode has a builder id of its own: who trusts one does not trust another. */
export function builderId(base: string, mode: { readonly isolation: string; readonly profile: string }): string {
  return `${base.replace(/\/+$/, '')}/${mode.isolation}/${mode.profile}`
}
