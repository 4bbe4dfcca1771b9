import { z } from 'zod'
import { Sha256 } from '../../../verifier/model/digest.ts'

/** What `serve --json` prints once it listens. */
export const ServingDocument = z.strictObject({
  schema: z.literal('bitwitness/serving/v1'),
  /** Where it listens, with the port that it was given. */
  url: z.string(),
  version: z.string(),
  /** The embedded one is in the home. */
  database: z.enum(['embedded', 'postgres']),
  home: z.string(),
  /** How statements are signed; the fingerprint of the key, where it is one. */
  signer: z.strictObject({ kind: z.enum(['key', 'sigstore']), fingerprint: Sha256.nullable() }),
  /** Who builds in this process; null: nobody, for the reason of `noWorker`. */
  worker: z.strictObject({ architecture: z.string(), slots: z.int().positive() }).nullable(),
  /** Null where there is a worker, or none was wanted. */
  noWorker: z.strictObject({ code: z.string(), message: z.string(), hint: z.string() }).nullable(),
  /** What lies in the folder of policies now; null: none is named. By a policy that is not followed nobody is let in. */
  policies: z.array(z.strictObject({ name: z.string(), followed: z.boolean() })).nullable(),
  /** What it deploys to, and by which policies that may be decided. */
  targets: z.array(z.strictObject({ name: z.string(), kind: z.enum(['phala-cloud', 'dstack-vmm']), policies: z.array(z.string()) })),
})
export type ServingDocument = z.infer<typeof ServingDocument>
