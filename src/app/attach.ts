import { z } from 'zod'
import { BUNDLE_TYPE } from '../../attestations/statement/predicate-types.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { stableJson } from '../../verifier/compare/oci-image.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { type PinnedReference, pinnedName } from '../../verifier/model/image-reference.ts'
import { OCI_EMPTY, OCI_MANIFEST } from '../../verifier/model/oci-types.ts'
import { attachedBlob, BUNDLE_LIMITS, damageOf } from './attached-bundles.ts'
import { type BundleFile, readBundleFile } from './bundle-file.ts'
import type { BlobSource, Descriptor, ImageRegistry, ImageRepository, Manifest } from './image-registry.ts'

export const ATTACH_REPORT_SCHEMA = 'bitwitness/attach-report/v1'

/** What was attached to an image. */
export const AttachReport = z.strictObject({
  schema: z.literal(ATTACH_REPORT_SCHEMA),
  /** `present`: every bundle was attached already. */
  verdict: z.enum(['attached', 'present']),
  /** By digest. */
  image: z.string(),
  bundles: z.array(
    z.strictObject({
      sha256: Sha256,
      predicateType: z.string(),
      /** Of the manifest that attaches it. */
      manifest: Sha256,
      state: z.enum(['attached', 'present']),
    }),
  ),
  /** How others find them: by the registry's referrers API, or by the tag `sha256-…` that stands in for it. */
  via: z.enum(['referrers-api', 'fallback-tag']),
})
export type AttachReport = z.infer<typeof AttachReport>

export type AttachCommand = {
  readonly bundles: readonly string[]
  readonly image: PinnedReference
  readonly signal: AbortSignal
}

/**
 * Attaches bundles to an image in a registry, in the form that cosign 3 writes and finds. A bundle whose statement does not name the image's
 * digest is refused before anything is sent; one that is attached already, by whomever, is left as it is. Rejects with
 * `bundle-of-another-subject`, `registry-not-found`, as reading a bundle does, and with other `registry-…` failures.
 */
export async function attach({ registry }: { readonly registry: ImageRegistry }, command: AttachCommand): Promise<AttachReport> {
  const { image, signal } = command
  const files: BundleFile[] = []
  for (const file of command.bundles) files.push(await readBundleFile(file))
  if (files.some(({ subjects }) => !subjects.includes(image.digest)))
    throw new Failure({
      code: 'bundle-of-another-subject',
      message: 'a bundle is not about this image: its statement does not name the digest of the image manifest',
      hint: 'attach it to the image that it names, or attest the image: a claim of kind oci-manifest makes its digest a subject',
    })
  const repository = registry.repository(image, { access: 'push' })
  const subject = await repository.manifest(image.digest, signal)
  if (subject === null)
    throw new Failure({
      code: 'registry-not-found',
      message: 'the registry has no such image, or shows it only to others',
      hint: 'push the image first, or look for a typing error',
    })
  const { via, entries } = await repository.referrers(image.digest, BUNDLE_TYPE, signal)
  const known = await alreadyAttached(repository, { entries, subject: image.digest, signal })
  const bundles: AttachReport['bundles'] = []
  let now = via
  for (const file of files) {
    const sha256 = digestOf(file.bytes)
    const { predicateType } = file
    const there = known.get(sha256)
    if (there !== undefined) {
      bundles.push({ sha256, predicateType, manifest: there, state: 'present' })
      continue
    }
    const referrer = bundleReferrer(file, subject)
    now = await attachOne(repository, { file, referrer, subject, signal })
    known.set(sha256, referrer.sha256)
    bundles.push({ sha256, predicateType, manifest: referrer.sha256, state: 'attached' })
  }
  const verdict = bundles.some(({ state }) => state === 'attached') ? 'attached' : 'present'
  return { schema: ATTACH_REPORT_SCHEMA, verdict, image: pinnedName(image), bundles, via: now }
}

/** Digest of each bundle that is attached, with that of the manifest that attaches it. */
async function alreadyAttached(
  repository: ImageRepository,
  o: { readonly entries: readonly Descriptor[]; readonly subject: Sha256; readonly signal: AbortSignal },
): Promise<Map<Sha256, Sha256>> {
  const known = new Map<Sha256, Sha256>()
  for (const entry of o.entries.slice(0, BUNDLE_LIMITS.count)) {
    try {
      const blob = await attachedBlob(repository, { ...o, entry })
      if (blob !== null) known.set(blob.sha256, entry.sha256)
    } catch (error) {
      o.signal.throwIfAborted()
      // What cannot be read is not what is to be attached.
      damageOf(error)
    }
  }
  return known
}

/** The empty config that OCI artifacts have (image-spec 1.1, "Guidance for an empty descriptor"). */
const EMPTY = Buffer.from('{}')

/**
 * The manifest that attaches a bundle. No time is in it, unlike in cosign's own, so that the same bundle gives the same manifest: attached
 * twice it is there once.
 */
export function bundleReferrer({ bytes, predicateType }: BundleFile, subject: Manifest): Manifest {
  const manifest = Buffer.from(
    stableJson({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType: BUNDLE_TYPE,
      config: { mediaType: OCI_EMPTY, digest: `sha256:${digestOf(EMPTY)}`, size: EMPTY.length },
      layers: [{ mediaType: BUNDLE_TYPE, digest: `sha256:${digestOf(bytes)}`, size: bytes.length }],
      subject: { mediaType: subject.mediaType, digest: `sha256:${subject.sha256}`, size: subject.bytes.length },
      annotations: annotationsOf(predicateType),
    }),
  )
  return { mediaType: OCI_MANIFEST, bytes: manifest, sha256: digestOf(manifest) }
}

/** As cosign writes them: not needed to verify, and shown by `cosign tree`. */
function annotationsOf(predicateType: string): Record<string, string> {
  return { 'dev.sigstore.bundle.content': 'dsse-envelope', 'dev.sigstore.bundle.predicateType': predicateType }
}

async function attachOne(
  repository: ImageRepository,
  o: { readonly file: BundleFile; readonly referrer: Manifest; readonly subject: Manifest; readonly signal: AbortSignal },
): Promise<AttachReport['via']> {
  const { file, referrer, subject, signal } = o
  await repository.pushBlob(blobOf(EMPTY), { signal })
  await repository.pushBlob(blobOf(file.bytes), { signal })
  const entry: Descriptor = {
    mediaType: referrer.mediaType,
    sha256: referrer.sha256,
    size: referrer.bytes.length,
    artifactType: BUNDLE_TYPE,
    annotations: annotationsOf(file.predicateType),
  }
  return await repository.pushReferrer(referrer, { subject: subject.sha256, entry, signal })
}

function blobOf(bytes: Uint8Array): BlobSource {
  return {
    sha256: digestOf(bytes),
    size: bytes.length,
    async *open(from, to) {
      yield bytes.subarray(from, to)
    },
  }
}
