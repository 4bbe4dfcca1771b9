import { z } from 'zod'
import { ProofIndex } from '../../attestations/proof/proof-index.ts'
import { Tier } from '../../verifier/model/comparison.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Verdict } from '../../verifier/model/verdict.ts'

export const EXPORT_REPORT_SCHEMA = 'bitwitness/export-report/v1'

/** What was put into a proof. */
export const ExportReport = z.strictObject({
  schema: z.literal(EXPORT_REPORT_SCHEMA),
  verdict: z.literal('exported'),
  /** Of the file. */
  sha256: Sha256,
  size: z.int().nonnegative(),
  /** What the proof is about. */
  report: z.strictObject({ sha256: Sha256, verdict: Verdict, tier: Tier.nullable() }),
  members: ProofIndex.shape.members,
  /** What is not in it, so that whoever rebuilds needs it from elsewhere: a source without an address, inputs, manifests that are gone. */
  leftOut: z.array(z.enum(['source', 'inputs', 'tree-manifest'])),
})
export type ExportReport = z.infer<typeof ExportReport>
