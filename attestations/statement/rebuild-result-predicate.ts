import { z } from 'zod'
import { Transformation } from '../../verifier/model/comparison.ts'
import { evidenceShape } from './evidence.ts'

/** Predicate of `bitwitness:rebuild-result/v1`: every verdict but `undecided`, and `reproduced` only below bit-exact. */
export const RebuildResultPredicate = z.discriminatedUnion('verdict', [
  z.strictObject({
    verdict: z.literal('reproduced'),
    tier: z.literal('content-equal'),
    /** What was undone on one side before claims were equal, all claims together. */
    transformations: z.array(Transformation).min(1),
    ...evidenceShape,
  }),
  z.strictObject({
    verdict: z.enum(['mismatch', 'nondeterministic', 'build-failed', 'refused']),
    tier: z.null(),
    transformations: z.array(Transformation),
    ...evidenceShape,
  }),
])
export type RebuildResultPredicate = z.infer<typeof RebuildResultPredicate>
