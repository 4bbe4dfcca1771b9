import type { Proof } from '../../attestations/proof/proof.ts'
import type { Claim } from '../../verifier/model/claim.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { PinnedSource } from '../../verifier/model/source.ts'
import { claimedLocation } from './claimed-location.ts'
import { readKnownLock } from './read-report.ts'

/** What somebody said beside a proof. */
export type Said = {
  readonly claims: readonly Claim[]
  readonly claimed: string | null
  /** File. */
  readonly lock: string | null
  readonly builder: string | null
  readonly snapshot: string | null
  readonly signal: AbortSignal
}

/**
 * The claims of a proof, as they are held against the rebuild: where their bytes are is not taken from it, since whoever made it would choose
 * what is fetched or opened here.
 */
export function claimsOfProof({ report }: Proof): Claim[] {
  return report.claims.map((claim) => ({ ...claim, location: null }))
}

/** Throws `flag-contradicts-proof` where something else was said than the proof says. Rejects as reading the lock does. */
export async function requireAgreement({ report, lock }: Proof, said: Said): Promise<void> {
  const claimed = (kind: Claim['kind'], sha256: Sha256): boolean =>
    report.claims.some((claim) => claim.kind === kind && claim.sha256 === sha256)
  for (const { kind, sha256 } of said.claims) if (!claimed(kind, sha256)) throw contradiction('--claim', ANOTHER)
  const location = said.claimed === null ? null : claimedLocation(said.claimed)
  if (location?.kind === 'image' && !claimed('oci-manifest', location.image.digest)) throw contradiction('--claimed', ANOTHER)
  if (said.builder !== null && report.builder?.digest.startsWith(said.builder) !== true) throw contradiction('--builder')
  if (said.snapshot !== null && said.snapshot !== lock?.snapshot) throw contradiction('--snapshot')
  if (said.lock !== null && (await readKnownLock(said.lock, said.signal)).sha256 !== report.lock) throw contradiction('--lock')
}

/** A pinned source as `verify` takes it; null for what has no address. */
export function addressOf(source: PinnedSource): string | null {
  if (source.kind !== 'git') return null
  const address = source.url.endsWith('.git') ? source.url : `git+${source.url}`
  return `${address}#${source.commit}${source.path === '.' ? '' : `:${source.path}`}`
}

const ANOTHER = 'the proof is about another image: take the one that is about yours'

function contradiction(flag: string, hint = 'leave it out, since it comes from the proof; or verify without --from'): Failure {
  return new Failure({
    code: 'flag-contradicts-proof',
    message: `${flag} says something else than the proof`,
    hint,
    data: { flag },
  })
}
