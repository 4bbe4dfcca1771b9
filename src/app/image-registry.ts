import type { Sha256 } from '../../verifier/model/digest.ts'
import type { ImageReference } from '../../verifier/model/image-reference.ts'

export type BlobId = { readonly sha256: Sha256; readonly size: number }

/** Bytes to push. They can be had again, from any place on: an upload may break off. */
export type BlobSource = BlobId & {
  /** The bytes from `from` up to but not including `to`. */
  readonly open: (from: number, to: number) => AsyncIterable<Uint8Array>
}

export type BlobState = 'present' | 'mounted' | 'uploaded'

/** What names something in a registry (OCI image-spec 1.1, "Descriptor"). */
export type Descriptor = BlobId & {
  readonly mediaType: string
  readonly artifactType: string | null
  readonly annotations: Readonly<Record<string, string>>
}

export type Manifest = { readonly mediaType: string; readonly bytes: Uint8Array; readonly sha256: Sha256 }

/** Where a list of referrers was had from: the registry's own API, or the tag that stands in for it. */
export type ReferrersVia = 'referrers-api' | 'fallback-tag'

export type Referrers = {
  readonly via: ReferrersVia
  /** Of the artifact type asked for, and from the tag also those whose type is not said there (null). */
  readonly entries: readonly Descriptor[]
  /** Whether there are more than are read. */
  readonly truncated: boolean
}

/** What a tag meant before, where it meant something. */
export type TagState = { readonly state: 'present' | 'pushed' } | { readonly state: 'moved'; readonly from: Sha256 }

/** One repository of a registry. Everything rejects with `registry-…` failures, or with the signal's reason. */
export interface ImageRepository {
  pushBlob(blob: BlobSource, o: { onBytes?: (done: number) => void; signal: AbortSignal }): Promise<BlobState>
  /** Puts a manifest under its digest and reads it back. */
  pushManifest(manifest: Manifest, signal: AbortSignal): Promise<'present' | 'pushed'>
  /** Lets a tag mean a manifest that is there. */
  pushTag(manifest: Manifest, tag: string, signal: AbortSignal): Promise<TagState>
  /** Puts a manifest with a `subject` under its digest, and sees to it that the subject's list of referrers names it. */
  pushReferrer(referrer: Manifest, o: { subject: Sha256; entry: Descriptor; signal: AbortSignal }): Promise<ReferrersVia>
  /** A manifest's exact bytes, held against the digest; null where there is none. */
  manifest(digest: Sha256, signal: AbortSignal): Promise<Manifest | null>
  /** A blob's bytes; they are the named ones once the last was read without an error. */
  blob(blob: BlobId, signal: AbortSignal): AsyncIterable<Uint8Array>
  referrers(subject: Sha256, artifactType: string, signal: AbortSignal): Promise<Referrers>
}

export interface ImageRegistry extends AsyncDisposable {
  /** `mountFrom`: another repository of the same registry that is likely to have the same blobs. */
  repository(image: ImageReference, o: { access: 'pull' | 'push'; mountFrom?: string | null }): ImageRepository
}
