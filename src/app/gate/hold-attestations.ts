import { setImmediate } from 'node:timers/promises'
import { PREDICATE_TYPE } from '../../../attestations/statement/predicate-types.ts'
import type { AttestationCheck } from '../../../attestations/verify/attestation-check.ts'
import type { TrustedRoot } from '../../../attestations/verify/trusted-root.ts'
import { verifyAttestation } from '../../../attestations/verify/verify-attestation.ts'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { HeldAttestation } from './facts.ts'
import type { Policy } from './policy.ts'
import { signerPolicy } from './signer-policy.ts'

/** Bundles of one artifact that are looked at: anybody may put more beside it. */
export const MOST_BUNDLES = 100

/** Holds bundles against the signers of a policy and one digest; one of the signers is enough. */
export async function holdAttestations(
  bundles: readonly Uint8Array[],
  o: {
    readonly policy: Policy
    readonly artifact: Sha256
    readonly trustedRoot: TrustedRoot
    readonly now: Date
    readonly signal: AbortSignal
  },
): Promise<readonly HeldAttestation[]> {
  const held: HeldAttestation[] = []
  for (const bundle of bundles.slice(0, MOST_BUNDLES)) {
    // Between two bundles who wants to stop is heard.
    await setImmediate()
    o.signal.throwIfAborted()
    held.push({ bundle: digestOf(bundle), check: checkOf(bundle, o) })
  }
  return held
}

function checkOf(bundle: Uint8Array, { policy, artifact, trustedRoot, now }: Parameters<typeof holdAttestations>[1]): AttestationCheck {
  let last: AttestationCheck | undefined
  for (const signer of policy.signers) {
    const asked = { ...signerPolicy(signer), artifact, predicateType: PREDICATE_TYPE.reproduced }
    last = verifyAttestation({ bundle, trustedRoot, policy: asked, now })
    if (last.verdict === 'verified') return last
  }
  if (last === undefined) throw new TypeError('a policy has a signer')
  return last
}
