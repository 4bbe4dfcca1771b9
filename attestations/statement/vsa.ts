import type { Tier } from '../../verifier/model/comparison.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { PREDICATE_TYPE, STATEMENT_TYPE } from './predicate-types.ts'
import { distinctSubjects, type Statement, type Subject } from './statement.ts'
import type { VsaLevel, VsaPredicate } from './vsa-predicate.ts'

export type PinnedUri = { readonly uri: string; readonly sha256: Sha256 }

/** A gate's decision about an artifact. */
export type VsaInput = {
  /** Who decided: an absolute URI of the gate, and the version of the program. */
  readonly verifier: { readonly id: string; readonly version: string }
  /** ISO 8601 UTC. */
  readonly timeVerified: string
  readonly subjects: readonly Subject[]
  /** What was asked about, such as an image reference, as an absolute URI. */
  readonly resourceUri: string
  /** The exact policy file. */
  readonly policy: PinnedUri
  /** Every attestation that the decision rests on, by the sha256 of its bundle. A pass needs at least one. */
  readonly inputAttestations: readonly PinnedUri[]
  /** The weakest tier that the decision rests on; null: denied. */
  readonly passed: { readonly tier: Tier } | null
}

const LEVELS: Readonly<Record<Tier, VsaLevel>> = { 'bit-exact': 'BITWITNESS_REPRODUCED', 'content-equal': 'BITWITNESS_CONTENT_EQUAL' }

/** The VSA of a decision, passed or failed. */
export function vsaOf(decision: VsaInput): Statement<VsaPredicate> {
  const pin = ({ uri, sha256 }: PinnedUri): VsaPredicate['policy'] => ({ uri, digest: { sha256 } })
  const common = {
    verifier: { id: decision.verifier.id, version: { bitwitness: decision.verifier.version } },
    timeVerified: decision.timeVerified,
    resourceUri: decision.resourceUri,
    policy: pin(decision.policy),
    inputAttestations: decision.inputAttestations.map(pin),
  }
  return {
    _type: STATEMENT_TYPE,
    subject: distinctSubjects(decision.subjects),
    predicateType: PREDICATE_TYPE.vsa,
    predicate:
      decision.passed === null
        ? { ...common, verificationResult: 'FAILED', verifiedLevels: ['FAILED'] }
        : { ...common, verificationResult: 'PASSED', verifiedLevels: [LEVELS[decision.passed.tier]] },
  }
}
