import { z } from 'zod'
import { VerificationReport } from '../../verifier/model/report.ts'
import { VerificationAnswer } from './answers.ts'

/** What `submit --json` prints. */
export const SubmissionDocument = z.strictObject({
  schema: z.literal('bitwitness/submission/v1'),
  /** Null while there is none, and where the verification was cancelled. */
  verdict: VerificationAnswer.shape.verdict,
  tier: VerificationAnswer.shape.tier,
  /** Whether the service had the same submission already. */
  joined: z.boolean(),
  /** What the service wants its owner to know. */
  notice: z.string().nullable(),
  /** As the service shows it. */
  verification: VerificationAnswer,
  /** Null until it is finished, and where nothing could be pinned. */
  report: VerificationReport.nullable(),
})
export type SubmissionDocument = z.infer<typeof SubmissionDocument>
