import type { SignerPolicy } from '../../../attestations/verify/policy.ts'
import type { PolicySigner } from './policy.ts'

/** Who must have signed, as bundles are held against it. */
export function signerPolicy(signer: PolicySigner): SignerPolicy {
  const { logEntries, times } = signer
  const thresholds = { ...(logEntries === undefined ? {} : { logEntries }), ...(times === undefined ? {} : { times }) }
  return {
    thresholds,
    signer:
      'key' in signer
        ? { kind: 'key', publicKeys: [signer.key] }
        : { kind: 'certificate', issuer: signer.issuer, subjectAlternativeName: { pattern: signer.name } },
  }
}
