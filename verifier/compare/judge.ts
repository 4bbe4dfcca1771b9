import type { Artifact, Attempt } from '../model/attempt.ts'
import type { Claim } from '../model/claim.ts'
import { digestsFor, isCandidate, OS_IMAGE_DIGESTS } from '../model/claimed-digests.ts'
import type { Comparison } from '../model/comparison.ts'
import type { Sha256 } from '../model/digest.ts'

/**
 * Every built attempt against the first built one, artifact by artifact. Canonical digests decide; where they agree, the packed images
 * have to agree too, their configs included. A pure function.
 */
export function compareAttempts(attempts: readonly Attempt[]): Comparison[] {
  const [first, ...others] = attempts.filter((attempt) => attempt.outcome === 'built')
  if (first === undefined) return []
  return others.flatMap((other) => {
    const names = [...new Set([...first.artifacts, ...other.artifacts].map(({ name }) => name))]
    return names.map((name) =>
      comparePair({ attempt: first, artifact: named(first, name) }, { attempt: other, artifact: named(other, name) }),
    )
  })
}

/**
 * Every claim against every built attempt: exactly one comparison each, in that order; the claim is the right side. A claim without a
 * name is met by any artifact. What only an unpacked comparison could show to be equal is `different` here. A pure function.
 */
export function compareWithClaims(claims: readonly Claim[], attempts: readonly Attempt[]): Comparison[] {
  const built = attempts.filter((attempt) => attempt.outcome === 'built')
  return claims.flatMap((claim, index) => built.map((attempt) => compareWithClaim({ claim, index, attempt })))
}

type Holder = { readonly attempt: Attempt; readonly artifact: Artifact | undefined }

function comparePair(left: Holder, right: Holder): Comparison {
  const held = left.artifact === undefined ? right : left
  const other = held === left ? right : left
  if (held.artifact === undefined) throw new Error('an artifact of neither side')
  const base = { claim: null, left: side(held.attempt, held.artifact, held.artifact.sha256), transformations: [] }
  const { artifact } = other
  if (artifact === undefined)
    return { ...base, right: null, result: 'missing', tier: null, reason: `attempt ${other.attempt.number} has no ${held.artifact.name}` }
  const pair = { ...base, right: side(other.attempt, artifact, artifact.sha256) }
  const obstacle = held.artifact.notComparable ?? artifact.notComparable
  if (obstacle !== null) return { ...pair, result: 'not-comparable', tier: null, reason: obstacle }
  if (held.artifact.sha256 !== artifact.sha256) return { ...pair, result: 'different', tier: null, reason: null }
  if (held.artifact.oci?.manifest !== artifact.oci?.manifest)
    return { ...pair, result: 'different', tier: null, reason: 'the files are equal, the images packed from them are not' }
  return { ...pair, result: 'equal', tier: 'bit-exact', reason: null }
}

function compareWithClaim({ claim, index, attempt }: { claim: Claim; index: number; attempt: Attempt }): Comparison {
  const candidates = attempt.artifacts.filter((artifact) => isCandidate(claim, artifact))
  const claimed = { attempt: null, artifact: claim.name, sha256: claim.sha256 }
  const base = { claim: index, right: claimed, transformations: [] }
  const digests = candidates.flatMap((artifact) =>
    artifact.notComparable === null ? digestsFor(claim, artifact).map((sha256) => ({ artifact, sha256 })) : [],
  )
  const match = digests.find(({ sha256 }) => sha256 === claim.sha256)
  if (match !== undefined)
    return { ...base, left: side(attempt, match.artifact, match.sha256), result: 'equal', tier: 'bit-exact', reason: null }
  const [nearest] = digests
  if (nearest !== undefined) {
    const reason = candidates.length === 1 ? null : `none of ${candidates.length} artifacts has this digest`
    return { ...base, left: side(attempt, nearest.artifact, nearest.sha256), result: 'different', tier: null, reason }
  }
  const [obstructed] = candidates
  if (obstructed !== undefined)
    return {
      ...base,
      left: side(attempt, obstructed, obstructed.sha256),
      result: 'not-comparable',
      tier: null,
      reason: obstructed.notComparable,
    }
  // Nothing on the attempt's side has a digest: what is shown there is what was looked for.
  return {
    ...base,
    left: { ...claimed, attempt: attempt.number },
    right: null,
    result: 'missing',
    tier: null,
    reason: missing(claim, attempt),
  }
}

function missing(claim: Claim, attempt: Attempt): string {
  const what = { file: 'artifact', 'oci-manifest': 'image', 'dstack-os-image': OS_IMAGE_DIGESTS }[claim.kind]
  return `attempt ${attempt.number} has no ${what}${claim.name === null ? '' : ` of the claimed name ${claim.name}`}`
}

function named(attempt: Attempt, name: string): Artifact | undefined {
  return attempt.artifacts.find((artifact) => artifact.name === name)
}

function side(attempt: Attempt, artifact: Artifact, sha256: Sha256): Comparison['left'] {
  return { attempt: attempt.number, artifact: artifact.name, sha256 }
}
