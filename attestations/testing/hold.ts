import type { Artifact, Attempt } from '../../verifier/model/attempt.ts'
import type { Claim } from '../../verifier/model/claim.ts'
import type { Comparison } from '../../verifier/model/comparison.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'

/** Comparisons as an honest verifier makes them, written down here a second time: the code under test must not be its own witness. */
export function hold(claims: readonly Claim[], attempts: readonly Attempt[]): Comparison[] {
  const built = attempts.filter(({ outcome }) => outcome === 'built')
  const [first, ...others] = built
  return [
    ...(first === undefined ? [] : others.flatMap((other) => pairs(first, other))),
    ...claims.flatMap((claim, index) => built.map((attempt) => against({ claim, index, attempt }))),
  ]
}

function pairs(first: Attempt, other: Attempt): Comparison[] {
  const names = [...new Set([...first.artifacts, ...other.artifacts].map(({ name }) => name))]
  return names.map((name): Comparison => {
    const [a, b] = [first, other].map(({ number, artifacts }) => ({ number, one: artifacts.find((each) => each.name === name) }))
    const [held, rest] = a?.one === undefined ? [b, a] : [a, b]
    if (held?.one === undefined || rest === undefined) throw new Error('an artifact of neither attempt')
    const base = { claim: null, left: { attempt: held.number, artifact: name, sha256: held.one.sha256 }, transformations: [] }
    if (rest.one === undefined) return { ...base, right: null, result: 'missing', tier: null, reason: 'it is missing' }
    const pair = { ...base, right: { attempt: rest.number, artifact: name, sha256: rest.one.sha256 } }
    if (held.one.notComparable !== null || rest.one.notComparable !== null)
      return { ...pair, result: 'not-comparable', tier: null, reason: 'canonical form refused it' }
    const same = held.one.sha256 === rest.one.sha256 && held.one.oci?.manifest === rest.one.oci?.manifest
    return same ? { ...pair, result: 'equal', tier: 'bit-exact', reason: null } : { ...pair, result: 'different', tier: null, reason: null }
  })
}

function against({ claim, index, attempt }: { claim: Claim; index: number; attempt: Attempt }): Comparison {
  const near = attempt.artifacts.filter((one) => digestsMeant(claim, one).length > 0)
  const usable = near.filter(({ notComparable }) => notComparable === null)
  const right = { attempt: null, artifact: claim.name, sha256: claim.sha256 }
  const base = { claim: index, right, transformations: [] }
  const side = (one: Artifact, sha256: Sha256): Comparison['left'] => ({ attempt: attempt.number, artifact: one.name, sha256 })
  const met = usable.find((one) => digestsMeant(claim, one).includes(claim.sha256))
  if (met !== undefined) return { ...base, left: side(met, claim.sha256), result: 'equal', tier: 'bit-exact', reason: null }
  const [other] = usable
  if (other !== undefined)
    return { ...base, left: side(other, digestsMeant(claim, other)[0] ?? other.sha256), result: 'different', tier: null, reason: null }
  const [odd] = near
  if (odd !== undefined)
    return { ...base, left: side(odd, odd.sha256), result: 'not-comparable', tier: null, reason: 'canonical form refused it' }
  return {
    ...base,
    left: { attempt: attempt.number, artifact: claim.name, sha256: claim.sha256 },
    right: null,
    result: 'missing',
    tier: null,
    reason: 'there is none',
  }
}

/** The digests of an artifact that a claim can mean. */
export function digestsMeant({ kind, name }: Claim, one: Artifact): Sha256[] {
  if (name !== null && name !== one.name) return []
  if (kind === 'oci-manifest') return one.oci === null ? [] : [one.oci.manifest]
  if (kind === 'dstack-os-image' && (one.format !== 'other' || !/(^|\/)sha256sum\.txt$/.test(one.name))) return []
  return [one.sha256, one.written.sha256]
}
