import { z } from 'zod'
import { readSmallFile } from '../../../verifier/bytes/small-file.ts'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { shownName } from '../../../verifier/model/shown-name.ts'
import { problemsInOne } from '../../../verifier/recipe/plain-yaml.ts'
import { type LoadedPolicy, MOST_POLICY_BYTES, type PolicyReading, readPolicy } from './read-policy.ts'

export const POLICY_CHECK_SCHEMA = 'bitwitness/policy-check/v1'

/** What is the matter with a policy, if anything is. */
export const PolicyCheck = z.strictObject({
  schema: z.literal(POLICY_CHECK_SCHEMA),
  verdict: z.enum(['valid', 'invalid']),
  /** Of its bytes: what decisions and statements know it by. */
  sha256: Sha256,
  name: z.string().nullable(),
  mode: z.enum(['enforce', 'observe']).nullable(),
  problems: z.array(z.strictObject({ line: z.int().positive().nullable(), message: z.string() })),
})
export type PolicyCheck = z.infer<typeof PolicyCheck>

/** Reads a policy from a file. Fails with `policy-unread`. */
export async function readPolicyFile(file: string, signal: AbortSignal): Promise<PolicyReading> {
  return readPolicy(await policyBytes(file, signal))
}

async function policyBytes(file: string, signal: AbortSignal): Promise<Uint8Array> {
  const read = await readSmallFile(file, { maxBytes: MOST_POLICY_BYTES, signal })
  if (read.bytes !== null) return read.bytes
  throw new Failure({
    code: 'policy-unread',
    message: read.why === 'too-large' ? 'the policy is too large' : `${shownName(file)} cannot be read`,
    hint: 'give a policy file: docs/policy.md says how to write one',
    cause: read.cause,
  })
}

/** A policy that is one. Fails with `policy-unread` and `policy-invalid`. */
export async function loadPolicy(file: string, signal: AbortSignal): Promise<LoadedPolicy> {
  return mustFollow(await readPolicyFile(file, signal))
}

/** The bytes of one, as they are. Fails as `loadPolicy` does. */
export async function loadPolicyBytes(file: string, signal: AbortSignal): Promise<Uint8Array> {
  const bytes = await policyBytes(file, signal)
  mustFollow(readPolicy(bytes))
  return bytes
}

function mustFollow({ policy, sha256, problems }: PolicyReading): LoadedPolicy {
  if (policy !== undefined) return { policy, sha256 }
  throw new Failure({
    code: 'policy-invalid',
    message: `the policy cannot be followed: ${problemsInOne(problems)}`,
    hint: 'mend it (docs/policy.md says what stands in one), and see with policy check; nothing is decided by half of a policy',
  })
}

export function policyCheck({ policy, sha256, problems }: PolicyReading): PolicyCheck {
  const verdict = policy === undefined ? 'invalid' : 'valid'
  return {
    schema: POLICY_CHECK_SCHEMA,
    verdict,
    sha256,
    name: policy?.name ?? null,
    mode: policy?.mode ?? null,
    problems: problems.map(({ line, message }) => ({ line, message })),
  }
}
