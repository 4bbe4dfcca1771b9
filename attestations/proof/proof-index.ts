import { z } from 'zod'
import { Sha256 } from '../../verifier/model/digest.ts'
import { AbsoluteUri } from '../statement/statement.ts'
import { ROLES } from './roles.ts'

export const PROOF_SCHEMA = 'bitwitness/proof/v1'

/** Name of the index, the first member. */
export const INDEX_NAME = 'proof.json'

/** Of the index itself, bytes. */
export const MAX_INDEX = 4 << 20

/** Of members beside the index. */
export const MAX_MEMBERS = 128

const file = { path: z.string().max(100), sha256: Sha256, size: z.int().nonnegative() }

/** One file of a proof. */
export const ProofMember = z.discriminatedUnion('role', [
  z.strictObject({ role: z.enum(ROLES).exclude(['bundle', 'statement']), ...file }),
  z.strictObject({
    role: z.enum(['bundle', 'statement']),
    ...file,
    predicateType: AbsoluteUri,
    /** What the statement is about. */
    subjects: z.array(z.strictObject({ name: z.string(), sha256: Sha256 })).min(1),
  }),
])
export type ProofMember = z.infer<typeof ProofMember>

/** `proof.json`: every other member, in the order in which they lie. */
export const ProofIndex = z.strictObject({ schema: z.literal(PROOF_SCHEMA), members: z.array(ProofMember).max(MAX_MEMBERS) })
export type ProofIndex = z.infer<typeof ProofIndex>
