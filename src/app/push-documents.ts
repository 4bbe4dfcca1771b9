import { z } from 'zod'
import { Sha256 } from '../../verifier/model/digest.ts'

/** What a push writes beside the build manifest. */
export const PUSH_FILES = {
  registryInfo: 'registry-info.json',
  compose: 'docker-compose-deploy.yml',
  appCompose: 'app-compose.json',
} as const

export const REGISTRY_INFO_SCHEMA = 'bitwitness/registry-info/v1'

/** Written beside the build manifest: where the image is now. */
export const RegistryInfo = z.strictObject({
  schema: z.literal(REGISTRY_INFO_SCHEMA),
  /** `docker.io`, or HOST[:PORT]. */
  registry: z.string(),
  /** Path in the registry. */
  imageName: z.string(),
  /** By the tag that is the tar's digest: for people. */
  fullImage: z.string(),
  /** `…@sha256:…` of the image manifest: what to deploy and to attest. */
  pinnedImage: z.string(),
  /** sha256 of the tar. */
  hash: Sha256,
  type: z.literal('oci-image'),
  /** The tar in this folder. */
  sourceTar: z.string(),
  pushedAt: z.iso.datetime(),
})
export type RegistryInfo = z.infer<typeof RegistryInfo>

export const PUSH_REPORT_SCHEMA = 'bitwitness/push-report/v1'

/** What `push` did. */
export const PushReport = z.strictObject({
  schema: z.literal(PUSH_REPORT_SCHEMA),
  /** `present`: everything was there already. `planned`: a dry run, the registry was not asked. */
  verdict: z.enum(['pushed', 'present', 'planned']),
  image: z.strictObject({ name: z.string(), manifest: Sha256, pinned: z.string() }),
  blobs: z.array(
    z.strictObject({
      kind: z.enum(['config', 'layer']),
      sha256: Sha256,
      size: z.int().nonnegative(),
      state: z.enum(['uploaded', 'mounted', 'present', 'planned']),
    }),
  ),
  manifest: z.enum(['pushed', 'present', 'planned']),
  tags: z.array(
    z.strictObject({
      tag: z.string(),
      state: z.enum(['pushed', 'present', 'moved', 'planned']),
      /** What the tag meant before it was moved. */
      from: Sha256.nullable(),
    }),
  ),
  /** In the folder; not written by a dry run. */
  files: z.strictObject({ registryInfo: z.string(), compose: z.string(), appCompose: z.string() }),
  /** sha256 of the app-compose's bytes: what dstack measures. */
  composeHash: Sha256,
})
export type PushReport = z.infer<typeof PushReport>
