import { z } from 'zod'
import { evidenceShape } from './evidence.ts'

/** Predicate of `bitwitness:reproduced/v1`. Nothing weaker than bit-exact has a form here. */
export const ReproducedPredicate = z.strictObject({
  verdict: z.literal('reproduced'),
  tier: z.literal('bit-exact'),
  ...evidenceShape,
})
export type ReproducedPredicate = z.infer<typeof ReproducedPredicate>
