import type { BuilderImage } from '../../verifier/builder/image-description.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import type { InputLock } from '../../verifier/model/lock.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import type { CarriedRole } from './roles.ts'

/** A member that is handed through: what it is known by. */
export type Carried = { readonly sha256: Sha256; readonly size: number }
export type CarriedMember = Carried & { readonly role: CarriedRole }

/** What a proof is made of. The order of bundles and manifests means nothing. */
export type ProofContent = {
  /** Exact bytes of a verification report. */
  readonly report: Uint8Array
  /** Sigstore bundles, of which one says the report's verdict. */
  readonly bundles: readonly Uint8Array[]
  /** PEM, and trusted_root.json: copies for whoever checks by hand, who has to compare them with what they know. */
  readonly publicKey: Uint8Array | null
  readonly trustedRoot: Uint8Array | null
  /** What the report names by digest. */
  readonly lock: Uint8Array | null
  readonly builder: { readonly description: Uint8Array; readonly lock: Uint8Array } | null
  readonly treeManifests: readonly Carried[]
  readonly sbom: Uint8Array | null
  /** Canonical tar of the recipe's folder. */
  readonly source: Carried | null
  /** `inputs.tar` of the lock. */
  readonly inputs: Carried | null
}

/** A bundle with what it signs. Nothing here says who signed, or whether the signature holds. */
export type ProofAttestation = {
  readonly bundle: Uint8Array
  readonly sha256: Sha256
  /** Exact bytes of the statement. */
  readonly statement: Uint8Array
  readonly predicateType: string
  readonly subjects: readonly { readonly name: string; readonly sha256: Sha256 }[]
}

/** Content whose parts belong together, as far as that can be told without a signature. */
export type Proof = {
  readonly content: ProofContent
  readonly report: VerificationReport
  readonly reportDigest: Sha256
  /** Sorted: by kind, then by digest. */
  readonly attestations: readonly ProofAttestation[]
  /** Predicate type of the statements that say the verdict. */
  readonly verdictType: string
  readonly lock: InputLock | null
  readonly builder: BuilderImage | null
}
