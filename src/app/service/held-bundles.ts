import type { TrustedRoot } from '../../../attestations/verify/trusted-root.ts'
import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { HeldAttestation } from '../gate/facts.ts'
import { holdAttestations } from '../gate/hold-attestations.ts'
import type { LoadedPolicy } from '../gate/read-policy.ts'
import { wholeBlob } from '../whole-blob.ts'

/** Checks that are remembered; what was not asked for longest is forgotten. */
const MOST_KNOWN = 1000

/** A bundle that was held against a policy, and when, ms. */
export type HeldBundle = { readonly held: HeldAttestation; readonly at: number }

/**
 * Bundles held against policies. What was verified counts for as long as the policy says (`cacheSeconds`), and is verified again then; what did
 * not hold is never remembered.
 */
export class HeldBundles {
  readonly #blobs: BlobStore
  readonly #known = new Map<string, HeldBundle>()

  constructor(blobs: BlobStore) {
    this.#blobs = blobs
  }

  async hold(
    bundle: Sha256,
    o: {
      readonly policy: LoadedPolicy
      readonly artifact: Sha256
      readonly trustedRoot: TrustedRoot
      readonly now: Date
      readonly signal: AbortSignal
    },
  ): Promise<HeldBundle | undefined> {
    const { policy, artifact, trustedRoot, now, signal } = o
    const key = [bundle, policy.sha256, artifact, trustedRoot.sha256].join(' ')
    const known = this.#known.get(key)
    const age = known === undefined ? Number.POSITIVE_INFINITY : now.getTime() - known.at
    if (known !== undefined && age >= 0 && age < policy.policy.attestations.cacheSeconds * 1000) return known
    const bytes = await wholeBlob(this.#blobs, bundle)
    const [held] = await holdAttestations([bytes], { policy: policy.policy, artifact, trustedRoot, now, signal })
    this.#known.delete(key)
    if (held === undefined) return undefined
    const one = { held, at: now.getTime() }
    if (held.check.verdict === 'verified') this.#known.set(key, one)
    const [oldest] = this.#known.keys()
    if (this.#known.size > MOST_KNOWN && oldest !== undefined) this.#known.delete(oldest)
    return one
  }
}
