import { z } from 'zod'
import { Finding } from './finding.ts'

/** A script of mkosi's or a file that mkosi runs. */
export const RecipeScript = z.strictObject({
  path: z.string(),
  /** mkosi's own word: `prepare`, `build`, `postinst`, `finalize`, `postoutput`, `sync`, `clean`, `configure`, `version` … */
  kind: z.string(),
  /** Runs inside the image's own tree (`.chroot`). */
  chroot: z.boolean(),
})
export type RecipeScript = z.infer<typeof RecipeScript>

export const RecipeImage = z.strictObject({
  /** `main`, or the name under mkosi.images. */
  name: z.string(),
  format: z.string().nullable(),
  output: z.string().nullable(),
  packages: z.array(z.string()),
  scripts: z.array(RecipeScript),
})

/** The OCI config that the image is packed with, as the recipe's `bitwitness.yaml` states it; empty where it does not. */
export const ImageConfig = z.strictObject({
  entrypoint: z.array(z.string()),
  cmd: z.array(z.string()),
  workingDir: z.string().nullable(),
  user: z.string().nullable(),
  /** `NAME=value`. */
  env: z.array(z.string()),
  /** `3000/tcp`. */
  exposedPorts: z.array(z.string()),
  labels: z.record(z.string(), z.string()),
})
export type ImageConfig = z.infer<typeof ImageConfig>

/** What was read from a mkosi config without running it. Null and empty mean: not stated there. */
export const Recipe = z.strictObject({
  images: z.array(RecipeImage),
  distribution: z.string().nullable(),
  release: z.string().nullable(),
  architecture: z.string().nullable(),
  /** Seconds since the epoch. */
  sourceDateEpoch: z.int().nonnegative().nullable(),
  /** `YYYYMMDDThhmmssZ`, from `Snapshot=` or a comment-free `Mirror=` that names one. */
  snapshot: z.string().nullable(),
  mirrors: z.array(z.string()),
  imageConfig: ImageConfig,
  profiles: z.array(z.string()),
  /** Every config file that was read, in reading order. */
  files: z.array(z.string()),
  pins: z.strictObject({ present: z.array(z.string()), missing: z.array(z.string()) }),
})
export type Recipe = z.infer<typeof Recipe>

export const RecipeReading = z.strictObject({ recipe: Recipe, findings: z.array(Finding) })
export type RecipeReading = z.infer<typeof RecipeReading>
