import { z } from 'zod'
import { BUNDLE_TYPE } from '../../attestations/statement/predicate-types.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import type { BlobId, Descriptor, ImageRepository, Manifest, ReferrersVia } from './image-registry.ts'

/** A bundle that is attached to an image. Nothing is said of what it is worth: its signature was not looked at. */
export type AttachedBundle = {
  /** Of the manifest that attaches it. */
  readonly manifest: Sha256
  readonly sha256: Sha256
  readonly bytes: Uint8Array
}

export type AttachedBundles = {
  readonly via: ReferrersVia
  readonly bundles: readonly AttachedBundle[]
  /** What is listed as a bundle of this image and could not be had, with the reason. */
  readonly skipped: readonly { readonly manifest: Sha256; readonly code: string }[]
  /** Whether more is attached than was looked at. */
  readonly truncated: boolean
}

export type BundleLimits = { readonly count: number; readonly bytes: number; readonly totalBytes: number; readonly seconds: number }

/** Anybody who may push can attach: so much is read of it. */
export const BUNDLE_LIMITS: BundleLimits = { count: 100, bytes: 16 << 20, totalBytes: 64 << 20, seconds: 600 }

/**
 * The Sigstore bundles that are attached to an image, in the order in which the registry lists them, each byte held against its digest. One
 * that is damaged hides no other. Rejects with `registry-…` failures where the list cannot be had.
 */
export async function bundlesOf(
  repository: ImageRepository,
  o: { readonly digest: Sha256; readonly signal: AbortSignal; readonly limits?: BundleLimits },
): Promise<AttachedBundles> {
  const { limits = BUNDLE_LIMITS } = o
  const late = AbortSignal.timeout(limits.seconds * 1000)
  try {
    return await collect(repository, { digest: o.digest, signal: AbortSignal.any([o.signal, late]), limits })
  } catch (error) {
    o.signal.throwIfAborted()
    if (!late.aborted) throw error
    throw new Failure({
      code: 'registry-unreachable',
      message: 'the registry cannot be reached, or broke off',
      hint: 'look at its name and at the network, and run it again',
      data: { reason: 'slow' },
      retryable: true,
    })
  }
}

async function collect(
  repository: ImageRepository,
  o: { readonly digest: Sha256; readonly signal: AbortSignal; readonly limits: BundleLimits },
): Promise<AttachedBundles> {
  const { digest, signal, limits } = o
  const { via, entries, truncated } = await repository.referrers(digest, BUNDLE_TYPE, signal)
  const distinct = [...new Map(entries.map((entry) => [entry.sha256, entry])).values()]
  const bundles: AttachedBundle[] = []
  const skipped: { manifest: Sha256; code: string }[] = []
  let left = limits.totalBytes
  for (const entry of distinct.slice(0, limits.count)) {
    try {
      const blob = await attachedBlob(repository, { entry, subject: digest, signal })
      if (blob === null) continue
      if (blob.size > Math.min(left, limits.bytes)) throw malformed('it is too large')
      const parts = await Array.fromAsync(repository.blob(blob, signal))
      left -= blob.size
      bundles.push({ manifest: entry.sha256, sha256: blob.sha256, bytes: Buffer.concat(parts) })
    } catch (error) {
      signal.throwIfAborted()
      skipped.push({ manifest: entry.sha256, code: damageOf(error).code })
    }
  }
  return { via, bundles, skipped, truncated: truncated || distinct.length > limits.count }
}

/** What is wrong with one attached thing, and with no other: rethrows what says nothing of it, such as that the registry is away. */
export function damageOf(error: unknown): Failure {
  if (error instanceof Failure && !error.retryable) return error
  throw error
}

const Attaching = z.looseObject({
  artifactType: z.string().optional(),
  subject: z.looseObject({ digest: z.string() }).optional(),
  layers: z.array(z.looseObject({ mediaType: z.string(), digest: z.string(), size: z.int().nonnegative() })),
})

/**
 * The bundle that a listed manifest attaches to `subject`; null where the list does not say what it attaches, and it is something else.
 * Throws `attached-bundle-malformed`.
 */
export async function attachedBlob(
  repository: ImageRepository,
  o: { readonly entry: Descriptor; readonly subject: Sha256; readonly signal: AbortSignal },
): Promise<BlobId | null> {
  const manifest = await repository.manifest(o.entry.sha256, o.signal)
  const parsed = Attaching.safeParse(manifest === null ? null : readManifest(manifest))
  if (o.entry.artifactType === null && parsed.data?.artifactType !== BUNDLE_TYPE) return null
  if (manifest === null) throw malformed('the registry lists it and does not have it')
  const [layer, ...others] = parsed.data?.layers ?? []
  const sha256 = Sha256.safeParse(layer?.digest.startsWith('sha256:') === true ? layer.digest.slice('sha256:'.length) : undefined)
  if (layer?.mediaType !== BUNDLE_TYPE || !sha256.success || others.length > 0) throw malformed('it does not hold one bundle')
  if (parsed.data?.subject?.digest !== `sha256:${o.subject}`) throw malformed('it is attached to another image')
  return { sha256: sha256.data, size: layer.size }
}

/** Undefined for what two readers could take for two things, or is no JSON at all. */
function readManifest({ bytes }: Manifest): unknown {
  try {
    return parseStrictJson(bytes)
  } catch {
    return undefined
  }
}

function malformed(why: string): Failure {
  return new Failure({
    code: 'attached-bundle-malformed',
    message: `what is attached to the image as a bundle is none that can be read: ${why}`,
    hint: 'do not rely on it; whoever may push to the repository can attach anything',
  })
}
