import { z } from 'zod'
import { Tier } from '../../verifier/model/comparison.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { VerificationReport } from '../../verifier/model/report.ts'
import { Verdict } from '../../verifier/model/verdict.ts'
import { AttestationCheckDocument } from './attestation-check.ts'

export const PROOF_CHECK_SCHEMA = 'bitwitness/proof-check/v1'

/** One thing in which a proof and the rebuild here differ. */
export const Difference = z.strictObject({
  what: z.enum(['verdict', 'tier', 'source', 'artifact', 'image']),
  /** Of the artifact; null where it is about the whole. */
  name: z.string().nullable(),
  /** What the report in the proof says, and what was found here; null: nothing of the kind. */
  proof: z.string().nullable(),
  here: z.string().nullable(),
})
export type Difference = z.infer<typeof Difference>

/** What `verify --from --json` prints. */
export const ProofCheckDocument = z.strictObject({
  schema: z.literal(PROOF_CHECK_SCHEMA),
  /** Of the rebuild here. `rejected`: the proof is not signed by whom was asked for, and nothing was rebuilt. Null: cancelled. */
  verdict: z.union([Verdict, z.literal('rejected')]).nullable(),
  tier: Tier.nullable(),
  /** Whether the rebuild came to what the proof says; `unknown` where it came to nothing. */
  agreement: z.enum(['agrees', 'disagrees', 'unknown']),
  differences: z.array(Difference),
  proof: z.strictObject({
    sha256: Sha256,
    size: z.int().nonnegative(),
    /** Of its report, by its exact bytes; and what it says. */
    report: Sha256,
    verdict: Verdict,
    tier: Tier.nullable(),
    /** What it carries for rebuilding. */
    source: z.boolean(),
    inputs: z.boolean(),
  }),
  /** Of the statement that says the verdict. `skip`: nobody said who must have signed, so that what the proof says is nobody's word. */
  attestation: z.strictObject({
    result: z.enum(['pass', 'fail', 'skip']),
    message: z.string(),
    check: AttestationCheckDocument.nullable(),
  }),
  /** Where the builder was had from; null where nothing was built. */
  builder: z.enum(['at-hand', 'made']).nullable(),
  /** Of the rebuild here; null where there was none. */
  report: VerificationReport.nullable(),
})
export type ProofCheckDocument = z.infer<typeof ProofCheckDocument>
