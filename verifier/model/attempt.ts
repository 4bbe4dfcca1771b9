import { z } from 'zod'
import { Sha256 } from './digest.ts'

/** How one run of a recipe ended. Only `built` has artifacts. */
export const Outcome = z.enum([
  'built',
  'build-failed',
  'refused',
  'limit',
  'input-unavailable',
  'input-differs',
  'cancelled',
  'infrastructure',
])
export type Outcome = z.infer<typeof Outcome>

/** Which bound a `limit` outcome hit. */
export const LimitKind = z.enum(['time', 'memory', 'processes', 'disk', 'output-size', 'log-size', 'network'])
export type LimitKind = z.infer<typeof LimitKind>

/** Stages in order. `start` makes the container, `source` hands it the recipe, `collect` takes the output out, `compare` digests it. */
export const StageName = z.enum(['pin', 'recipe', 'builder', 'start', 'source', 'build', 'collect', 'compare'])
export type StageName = z.infer<typeof StageName>

export const Stage = z.strictObject({
  name: StageName,
  /** ISO 8601 UTC. */
  startedAt: z.string(),
  /** Milliseconds, from a monotonic clock. */
  ms: z.number().nonnegative(),
  /** Bytes that the stage moved, where it moves any. */
  bytes: z.int().nonnegative().nullable(),
})
export type Stage = z.infer<typeof Stage>

export const ArtifactFormat = z.enum(['tar', 'directory', 'cpio', 'disk', 'uki', 'esp', 'oci', 'other'])
export type ArtifactFormat = z.infer<typeof ArtifactFormat>

/** One file that the recipe yields, digested outside the container. */
export const Artifact = z.strictObject({
  name: z.string(),
  format: ArtifactFormat,
  /** Of the uncompressed artifact; for `tar` and `directory` of the canonical tar, which is the OCI layer's diff_id. */
  sha256: Sha256,
  size: z.int().nonnegative(),
  /** Blob of the tree manifest, where the format has a tree that we read. */
  treeManifest: Sha256.nullable(),
  /** The image packed from it (tar and directory), or that it is (oci). Layer is null for an image of several layers. */
  oci: z.strictObject({ manifest: Sha256, config: Sha256, layer: Sha256.nullable() }).nullable(),
  /** What mkosi itself wrote, before decompression and canonical order. */
  written: z.strictObject({
    name: z.string(),
    sha256: Sha256,
    size: z.int().nonnegative(),
    compression: z.enum(['none', 'gzip', 'zstd', 'xz']),
  }),
  /** Why this artifact cannot be compared, or null. */
  notComparable: z.string().nullable(),
})
export type Artifact = z.infer<typeof Artifact>

/** Why an attempt did not end as `built`. `code` is stable, `message` is ours, `data` are facts such as the input's name and both hashes. */
export const OutcomeReason = z.strictObject({
  code: z.string(),
  message: z.string(),
  data: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
})
export type OutcomeReason = z.infer<typeof OutcomeReason>

export const SandboxFacts = z.strictObject({
  /** Names the security mode; part of what a statement's builder.id stands for. */
  profile: z.string(),
  /** sha256 over the settings of the sandbox: capabilities, seccomp profile, mounts, limits. */
  digest: Sha256,
  isolation: z.literal('shared-kernel'),
  apparmor: z.enum(['enforced', 'absent']),
  workspace: z.enum(['tmpfs', 'volume']),
})
export type SandboxFacts = z.infer<typeof SandboxFacts>

export const Attempt = z.strictObject({
  /** 1-based within its verification. */
  number: z.int().positive(),
  mode: z.enum(['live', 'replay']),
  outcome: Outcome,
  limit: LimitKind.nullable(),
  reason: OutcomeReason.nullable(),
  /** Earlier tries of this attempt that the infrastructure ended, oldest first. A mismatch is never tried again. */
  retried: z.array(OutcomeReason),
  stages: z.array(Stage),
  artifacts: z.array(Artifact),
  /** Blob of the input lock that the attempt recorded (live) or used (replay). */
  lock: Sha256.nullable(),
  /** Blob of the log. */
  log: Sha256.nullable(),
  builder: Sha256.nullable(),
  sandbox: SandboxFacts.nullable(),
  usage: z.strictObject({ cpuMs: z.number().nonnegative(), peakMemoryBytes: z.number().nonnegative() }).nullable(),
})
export type Attempt = z.infer<typeof Attempt>

/** An attempt of which nothing came but how it ended. */
export function attemptWithoutRun(ended: Pick<Attempt, 'number' | 'mode' | 'outcome' | 'reason'>): Attempt {
  return {
    ...ended,
    limit: null,
    retried: [],
    stages: [],
    artifacts: [],
    lock: null,
    log: null,
    builder: null,
    sandbox: null,
    usage: null,
  }
}
