import { z } from 'zod'
import { AttestationCheck } from '../../attestations/verify/attestation-check.ts'
import { Sha256 } from '../../verifier/model/digest.ts'

export const ATTESTATION_CHECK_SCHEMA = 'bitwitness/attestation-check/v1'

/** What was asked of each bundle. */
const Asked = z.strictObject({
  artifact: Sha256,
  predicateType: z.string(),
  signer: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('certificate'),
      /** Exact, unless it is a pattern. */
      subjectAlternativeName: z.union([z.string(), z.strictObject({ pattern: z.string() })]),
      issuer: z.string(),
    }),
    /** sha256 of the SPKI of each key, one of which must have signed. */
    z.strictObject({ kind: z.literal('key'), fingerprints: z.array(Sha256).min(1) }),
  ]),
  thresholds: z.strictObject({
    logEntries: z.int().nonnegative(),
    times: z.int().nonnegative(),
    certificateTimestamps: z.int().nonnegative(),
  }),
  maxAgeSeconds: z.int().positive().nullable(),
})

/** What `attestation verify --json` prints. */
export const AttestationCheckDocument = z.strictObject({
  schema: z.literal(ATTESTATION_CHECK_SCHEMA),
  /** `verified` where one bundle at least is; the others stand beside it. */
  verdict: z.enum(['verified', 'rejected']),
  /** Why not: of the bundle that came nearest, or `attestation-missing`; null when verified. */
  code: z.string().nullable(),
  message: z.string(),
  /** What to do; null when verified. */
  hint: z.string().nullable(),
  asked: Asked,
  trustedRoot: z.strictObject({ origin: z.enum(['file', 'snapshot', 'refreshed']), sha256: Sha256 }),
  bundles: z.array(z.strictObject({ /** Of the bundle's exact bytes. */ sha256: Sha256, ...AttestationCheck.shape })),
  /** Manifests that a registry lists as bundles of the image and that could not be had, with the code of why. */
  skipped: z.array(z.strictObject({ manifest: Sha256, code: z.string() })),
  /** Whether there are more bundles than were looked at. */
  truncated: z.boolean(),
})
export type AttestationCheckDocument = z.infer<typeof AttestationCheckDocument>
