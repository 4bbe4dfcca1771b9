import { z } from 'zod'
import { Sha256 } from '../../../verifier/model/digest.ts'

export const DECISION_SCHEMA = 'bitwitness/decision/v1'

export const RuleResult = z.strictObject({
  /** Stable id in kebab-case, listed in docs/gate-rules.md. */
  rule: z.string(),
  result: z.enum(['pass', 'fail', 'skip']),
  /** What it is about: `app`, `compose`, `guest`, or an image by its service or name. */
  subject: z.string(),
  /** One sentence. */
  reason: z.string(),
})
export type RuleResult = z.infer<typeof RuleResult>

export const Decision = z.strictObject({
  schema: z.literal(DECISION_SCHEMA),
  /** What whoever asked is told. Under `observe` always `allow`. */
  decision: z.enum(['allow', 'deny']),
  /** What the rules came to. */
  judged: z.enum(['allow', 'deny']),
  mode: z.enum(['enforce', 'observe']),
  policy: z.strictObject({ name: z.string(), sha256: Sha256 }),
  at: z.string(),
  app: z.strictObject({ id: z.string(), composeHash: Sha256 }).nullable(),
  images: z.array(z.strictObject({ service: z.string().nullable(), name: z.string().nullable(), digest: Sha256.nullable() })),
  rules: z.array(RuleResult),
  /** Bundles that a pass rests on, by their sha256. */
  attestations: z.array(Sha256),
})
export type Decision = z.infer<typeof Decision>
