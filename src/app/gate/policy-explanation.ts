import { z } from 'zod'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { explainPolicy } from './explain-policy.ts'
import type { LoadedPolicy } from './read-policy.ts'

export const POLICY_EXPLANATION_SCHEMA = 'bitwitness/policy-explanation/v1'

export const PolicyExplanation = z.strictObject({
  schema: z.literal(POLICY_EXPLANATION_SCHEMA),
  name: z.string(),
  sha256: Sha256,
  mode: z.enum(['enforce', 'observe']),
  sentences: z.array(z.string()),
})
export type PolicyExplanation = z.infer<typeof PolicyExplanation>

export function policyExplanation({ policy, sha256 }: LoadedPolicy): PolicyExplanation {
  const { name, mode } = policy
  return { schema: POLICY_EXPLANATION_SCHEMA, name, sha256, mode, sentences: [...explainPolicy(policy)] }
}
