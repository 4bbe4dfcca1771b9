import type { AttestationCheck } from '../../../attestations/verify/attestation-check.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { ComposeLint } from '../compose/lint-compose.ts'

/** A bundle that was held against the policy's signers and one digest, at the time of the decision or as long ago as the policy lets a cache be. */
export type HeldAttestation = { readonly bundle: Sha256; readonly check: AttestationCheck }

/** An image of an app, and what is attested of it. */
export type ImageFacts = {
  /** Of the Compose file; null where an image is asked about alone. */
  readonly service: string | null
  /** Without tag and digest; null where none is named. */
  readonly name: string | null
  /** Of its manifest; null where it is not named by one. */
  readonly digest: Sha256 | null
  readonly attestations: readonly HeldAttestation[]
}

export type ComposeFacts = {
  readonly hash: Sha256
  /** What its bytes say; null where nobody has brought the bytes. */
  readonly lint: ComposeLint | null
  /** Who admitted it here, as authenticated; null: nobody did. */
  readonly admittedBy: string | null
}

/** What a KMS or a gateway says of a guest that wants its keys, or traffic, or a target of one that is to start. Null: it was not said. */
export type GuestFacts = {
  /**
   * Who says so. A gateway does not say the state of the platform: the KMS was asked about it before. Nor does a target before anything runs: the
   * KMS will be.
   */
  readonly by: 'kms' | 'gateway' | 'target'
  readonly osImage: { readonly hash: Sha256; readonly attestations: readonly HeldAttestation[] } | null
  readonly deviceId: string | null
  readonly tcb: { readonly status: string; readonly advisories: readonly string[] } | null
}

/** What a decision rests on. */
export type GateFacts = {
  readonly now: Date
  readonly images: readonly ImageFacts[]
  /** Null: only images are asked about. */
  readonly app: { readonly id: string; readonly compose: ComposeFacts } | null
  /** Null: nobody runs yet. */
  readonly guest: GuestFacts | null
}
