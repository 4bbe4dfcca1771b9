import { z } from 'zod'
import { SandboxFacts } from '../../verifier/model/attempt.ts'
import { Claim } from '../../verifier/model/claim.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { GitCommit, PinnedSource } from '../../verifier/model/source.ts'
import { BUILD_TYPE } from './predicate-types.ts'
import { AbsoluteUri, Timestamp } from './statement.ts'

/** in-toto ResourceDescriptor, as far as we use it. */
const Resource = z.strictObject({
  name: z.string(),
  uri: AbsoluteUri.optional(),
  digest: z.union([z.strictObject({ sha256: Sha256 }), z.strictObject({ gitCommit: GitCommit })]),
  mediaType: z.string().optional(),
})
export type Resource = z.infer<typeof Resource>

/** SLSA Provenance v1 (https://slsa.dev/spec/v1.1/provenance) of our build type. */
export const ProvenancePredicate = z.strictObject({
  buildDefinition: z.strictObject({
    buildType: z.literal(BUILD_TYPE),
    /** What who asked had a say in. `source.path` is the recipe. */
    externalParameters: z.strictObject({
      source: PinnedSource,
      claims: z.array(Claim.pick({ kind: true, name: true, sha256: true })),
      /** The publisher's lock, where one was given; null: the build recorded its own. */
      lock: Sha256.nullable(),
    }),
    internalParameters: z.strictObject({
      architecture: z.string(),
      /** Number of the attempt that made the subjects, and how many agree with it, itself included. */
      attempt: z.int().positive(),
      attempts: z.int().positive(),
      mode: z.enum(['live', 'replay']),
      mkosi: z.string(),
      sandbox: SandboxFacts,
      worker: z.string().nullable(),
      operator: z.string().nullable(),
    }),
    resolvedDependencies: z.array(Resource).min(1),
  }),
  runDetails: z.strictObject({
    builder: z.strictObject({ id: AbsoluteUri, version: z.strictObject({ bitwitness: z.string() }) }),
    metadata: z.strictObject({ invocationId: z.string().min(1).max(2048), startedOn: Timestamp, finishedOn: Timestamp }),
    byproducts: z.array(Resource),
  }),
})
export type ProvenancePredicate = z.infer<typeof ProvenancePredicate>
