import { z } from 'zod'
import { Artifact, Outcome } from './attempt.ts'
import { Sha256 } from './digest.ts'
import { ImageConfig } from './recipe.ts'
import { PinnedSource } from './source.ts'
import { VerdictReason } from './verdict.ts'

export const BUILD_MANIFEST_SCHEMA = 'bitwitness/build-manifest/v1'

/** What `build` writes beside the artifacts: everything a verifier has to be told, and the digests to expect. Paths are relative to it. */
export const BuildManifest = z.strictObject({
  schema: z.literal(BUILD_MANIFEST_SCHEMA),
  /** Outcome of the build; anything but `built` has no artifacts. */
  verdict: z.union([Outcome, z.literal('nondeterministic')]),
  reasons: z.array(VerdictReason),
  source: PinnedSource,
  parameters: z.strictObject({
    architecture: z.string(),
    /** Seconds since the epoch. */
    sourceDateEpoch: z.int().nonnegative(),
    snapshot: z.string().nullable(),
    builder: z.strictObject({ digest: Sha256, mkosi: z.string() }).nullable(),
    sandbox: Sha256.nullable(),
    image: ImageConfig,
  }),
  artifacts: z.array(
    z.strictObject({
      ...Artifact.pick({ name: true, format: true, sha256: true, size: true, treeManifest: true, oci: true }).shape,
      /** The bytes; null for an image layout of mkosi's. */
      file: z.string().nullable(),
      /** OCI image layout that is packed from it. */
      layout: z.string().nullable(),
      /** As `--claim` takes them. */
      claims: z.array(z.string()),
    }),
  ),
  lock: z.strictObject({ file: z.string(), sha256: Sha256, inputs: z.string() }).nullable(),
  createdAt: z.string(),
  tool: z.strictObject({ name: z.literal('bitwitness'), version: z.string() }),
})
export type BuildManifest = z.infer<typeof BuildManifest>
