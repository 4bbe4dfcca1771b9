import { z } from 'zod'
import { Sha256 } from './digest.ts'

/** How equal two artifacts are. Only `bit-exact` passes a policy that names nothing else. */
export const Tier = z.enum(['bit-exact', 'content-equal'])
export type Tier = z.infer<typeof Tier>

/** What was undone on one side before it was equal to the other. */
export const Transformation = z.enum(['tar-member-order', 'hard-link-leader', 'tar-encoding', 'compression'])
export type Transformation = z.infer<typeof Transformation>

const Side = z.strictObject({
  /** Attempt number, or null for the claim. */
  attempt: z.int().positive().nullable(),
  artifact: z.string().nullable(),
  sha256: Sha256,
})

/** One artifact held against another, or against a claimed digest. */
export const Comparison = z.strictObject({
  /** Index into claims[], or null where two attempts are compared. */
  claim: z.int().nonnegative().nullable(),
  left: Side,
  right: Side.nullable(),
  result: z.enum(['equal', 'different', 'missing', 'not-comparable']),
  tier: Tier.nullable(),
  transformations: z.array(Transformation),
  /** Why the pair is `missing` or `not-comparable`, or why canonical form was refused. */
  reason: z.string().nullable(),
})
export type Comparison = z.infer<typeof Comparison>
