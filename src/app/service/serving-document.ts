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
})
export type ServingDocument = z.infer<typeof ServingDocument>
