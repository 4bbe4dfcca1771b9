import { encodeDocument } from '../../verifier/model/document.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import { proofFailure } from './failures.ts'
import { requireLimits } from './lay-out.ts'
import { PROOF_SCHEMA, ProofIndex } from './proof-index.ts'
import { fitsRole, type Role } from './roles.ts'

/** What no proof is without. */
const NEEDED: readonly Role[] = ['instructions', 'report', 'bundle', 'statement']

/**
 * Reads an index that anybody may have made. Failures: `json-…`, `proof-version-unknown`, `proof-index-malformed`, `proof-name-wrong`,
 * `proof-member-duplicate`, `proof-role-missing`, and those of `requireLimits`.
 */
export function readIndex(bytes: Uint8Array): ProofIndex {
  const value = parseStrictJson(bytes)
  const schema = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined
  if (typeof schema === 'string' && schema !== PROOF_SCHEMA && /^bitwitness\/proof\/v\d{1,4}$/.test(schema))
    throw proofFailure('proof-version-unknown')
  const parsed = ProofIndex.safeParse(value)
  if (!parsed.success || !encodeIndex(parsed.data).equals(bytes)) throw proofFailure('proof-index-malformed')
  const { members } = parsed.data
  if (!members.every(({ path, role }) => fitsRole(path, role))) throw proofFailure('proof-name-wrong')
  if (new Set(members.map(({ path }) => path)).size !== members.length) throw proofFailure('proof-member-duplicate')
  if (!NEEDED.every((role) => members.some((one) => one.role === role))) throw proofFailure('proof-role-missing')
  requireLimits(members)
  return parsed.data
}

/** The one text of an index. */
export function encodeIndex(index: ProofIndex): Buffer {
  return Buffer.from(encodeDocument(ProofIndex, index))
}
