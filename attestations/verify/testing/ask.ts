import { PREDICATE_TYPE } from '../../statement/predicate-types.ts'
import type { AttestationCheck } from '../attestation-check.ts'
import type { AttestationPolicy } from '../policy.ts'
import { parseTrustedRoot } from '../trusted-root.ts'
import { verifyAttestation } from '../verify-attestation.ts'
import { type CaseWorld, DIGEST, pemOf } from './case-world.ts'
import type { InteropCase, Made } from './interop-case.ts'
import { SIGNER } from './paper-sigstore.ts'

/** What a case comes to: files as other tools take them, and the question as ours does. */
export type Question = {
  readonly bundle: Buffer
  readonly root: Buffer
  readonly policy: AttestationPolicy
  readonly now: Date
}

export function questionOf(made: Made, { signed }: Pick<InteropCase, 'signed'>, world: CaseWorld): Question {
  const signer =
    signed === 'certificate' ? ({ kind: 'certificate', ...SIGNER } as const) : ({ kind: 'key', publicKeys: [pemOf(world.key)] } as const)
  const { bundle, root = world.sigstore.root(), now = new Date(), ...asked } = made
  return {
    bundle: Buffer.from(typeof bundle === 'string' ? bundle : JSON.stringify(bundle)),
    root: Buffer.from(JSON.stringify(root)),
    policy: { signer, predicateType: PREDICATE_TYPE.reproduced, artifact: DIGEST, ...asked },
    now,
  }
}

export function askOurs({ bundle, root, policy, now }: Question): AttestationCheck {
  return verifyAttestation({ bundle, trustedRoot: parseTrustedRoot(root), policy, now })
}
