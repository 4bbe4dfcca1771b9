import { type Bundle, bundleFromJSON } from '@sigstore/bundle'
import { Failure } from '../../verifier/model/failure.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import { BUNDLE_MEDIA_TYPE, BundleShape } from './bundle-shape.ts'
import type { RejectionCode } from './rejections.ts'

/** An attestation of a whole SBOM has a few megabytes; nesting in a bundle is fixed, and a statement in it is base64. */
const LIMITS = { maxBytes: 16 << 20, maxDepth: 16 }

/** Codes of reading JSON that say something of their own; the others are `bundle-malformed`. */
const OF_JSON: Readonly<Record<string, RejectionCode>> = {
  'json-too-large': 'bundle-too-large',
  'json-too-deep': 'bundle-too-deep',
  'json-duplicate-key': 'bundle-duplicate-key',
}

export type ReadBundle = {
  /** As it was written, with everything in it known. */
  readonly shape: BundleShape
  /** The same as the library takes it. Null where the envelope has not exactly one signature, which the library calls malformed. */
  readonly bundle: Bundle | null
}

/** Reads a bundle that anybody may have made; a code where it is none that is taken. `oldVersions`: take v0.1 as well. */
export function readBundle(bytes: Uint8Array, o: { readonly oldVersions: boolean }): ReadBundle | RejectionCode {
  let value: unknown
  try {
    value = parseStrictJson(bytes, LIMITS)
  } catch (error) {
    if (error instanceof Failure) return OF_JSON[error.code] ?? 'bundle-malformed'
    throw error
  }
  const mediaType = mediaTypeOf(value)
  if (mediaType === undefined) return 'bundle-malformed'
  if (!Object.values<string>(BUNDLE_MEDIA_TYPE).includes(mediaType)) return 'bundle-media-type'
  if (mediaType === BUNDLE_MEDIA_TYPE.v01 && !o.oldVersions) return 'bundle-version-old'
  const parsed = BundleShape.safeParse(value)
  if (!parsed.success) return 'bundle-malformed'
  const shape = parsed.data
  if (!hasOneSignature(shape)) return { shape, bundle: null }
  try {
    return { shape, bundle: bundleFromJSON(shape) }
  } catch {
    // The library's rules for each version: a proof with every log entry, no certificate chain in v0.3.
    return missesProof(shape) ? 'log-proof-missing' : 'bundle-malformed'
  }
}

function hasOneSignature(shape: BundleShape): boolean {
  if (!('dsseEnvelope' in shape)) return true
  const [signature, ...others] = shape.dsseEnvelope.signatures
  return signature !== undefined && signature.sig !== '' && others.length === 0
}

function mediaTypeOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('mediaType' in value)) return undefined
  return typeof value.mediaType === 'string' ? value.mediaType : undefined
}

function missesProof(shape: BundleShape): boolean {
  return (shape.verificationMaterial.tlogEntries ?? []).some((entry) => entry.inclusionProof === undefined)
}
