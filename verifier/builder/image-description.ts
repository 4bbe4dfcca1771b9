import { z } from 'zod'
import { Sha256 } from '../model/digest.ts'

export const BUILDER_IMAGE_SCHEMA = 'bitwitness/builder-image/v1'

/** Version of mkosi as its makers write it, without a distribution's revision. */
export const MkosiVersion = z.string().regex(/^\d{1,4}(\.\d{1,4}){0,3}$/)

export const BuilderPackage = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9+.-]{0,99}$/),
  version: z.string().regex(/^[A-Za-z0-9.+~:-]{1,100}$/),
  architecture: z.string().regex(/^[a-z0-9-]{1,32}$/),
})
export type BuilderPackage = z.infer<typeof BuilderPackage>

/**
 * A builder image: known by the digest of its OCI config, which names its one layer, which is every byte of its root. Config, manifest,
 * layer and lock are blobs.
 */
export const BuilderImage = z.strictObject({
  schema: z.literal(BUILDER_IMAGE_SCHEMA),
  /** Of the OCI config: what Docker calls the image id. */
  digest: Sha256,
  /** Of the OCI manifest: the image id where the engine keeps images as containerd does. */
  manifest: Sha256,
  /** Canonical, uncompressed tar: its digest is the diff_id. */
  layer: z.strictObject({ sha256: Sha256, size: z.int().positive() }),
  architecture: z.string().regex(/^[a-z0-9]{1,32}$/),
  mkosi: MkosiVersion,
  /** Over profile, package list, scripts and agent: tells whether this is the builder that an installed Bitwitness would make. */
  definition: Sha256,
  suite: z.string().regex(/^[a-z]{1,32}$/),
  /** Blob of the lock of its packages and signed indexes. */
  lock: Sha256,
  /** What is installed, sorted; the lock holds these packages and no others. */
  packages: z.array(BuilderPackage).min(1).max(10_000),
})
export type BuilderImage = z.infer<typeof BuilderImage>

/** The bytes of `<home>/builders/<digest>.json` and of `builder.json` in an exported builder. */
export function encodeBuilder(builder: BuilderImage): string {
  // Parsed anew: keys in the order of the schema, whoever built the object.
  return `${JSON.stringify(BuilderImage.parse(builder), null, 1)}\n`
}
