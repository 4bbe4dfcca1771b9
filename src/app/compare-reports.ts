import type { VerificationReport } from '../../verifier/model/report.ts'
import type { PinnedSource } from '../../verifier/model/source.ts'
import type { Difference, ProofCheckDocument } from './proof-check.ts'

/**
 * Whether a rebuild came to what another report says: the same verdict at the same tier, of the same source tree, and where there is one
 * result on both sides, the same bytes. Pure. One that came to nothing agrees with nothing and disagrees with nothing.
 */
export function compareReports(
  proof: VerificationReport,
  here: VerificationReport,
): { readonly agreement: ProofCheckDocument['agreement']; readonly differences: Difference[] } {
  if (here.verdict === null || here.verdict === 'undecided') return { agreement: 'unknown', differences: [] }
  const whole = (what: Difference['what'], a: string | null, b: string | null): Difference[] =>
    a === b ? [] : [{ what, name: null, proof: a, here: b }]
  const differences = [
    ...whole('verdict', proof.verdict, here.verdict),
    ...whole('tier', proof.tier, here.tier),
    ...whole('source', proof.source.treeDigest, here.source.treeDigest),
    ...differingCommits(proof.source, here.source),
    ...differingYields(proof, here),
  ]
  return { agreement: differences.length === 0 ? 'agrees' : 'disagrees', differences }
}

/** The same tree may lie at several places: those of two repositories are compared, those of a repository and an archive cannot be. */
function differingCommits(proof: PinnedSource, here: PinnedSource): Difference[] {
  if (proof.kind !== 'git' || here.kind !== 'git') return []
  const [a, b] = [proof, here].map(({ url, commit, path }) => `${url}#${commit}:${path}`)
  return a === undefined || b === undefined || a === b ? [] : [{ what: 'source', name: null, proof: a, here: b }]
}

function differingYields(proof: VerificationReport, here: VerificationReport): Difference[] {
  const [theirs, ours] = [yieldOf(proof), yieldOf(here)]
  if (theirs === null || ours === null) return []
  const names = [...new Set([...theirs.keys(), ...ours.keys()])].toSorted()
  return names.flatMap((name) => {
    const [a, b] = [theirs.get(name), ours.get(name)]
    const pair = (what: 'artifact' | 'image', left: string | null, right: string | null): Difference[] =>
      left === right ? [] : [{ what, name, proof: left, here: right }]
    return [...pair('artifact', a?.sha256 ?? null, b?.sha256 ?? null), ...pair('image', a?.oci?.manifest ?? null, b?.oci?.manifest ?? null)]
  })
}

/** The artifacts of the last attempt, where all attempts were built and agree. */
function yieldOf({ verdict, attempts }: VerificationReport) {
  const artifacts = verdict === 'reproduced' || verdict === 'mismatch' ? attempts.at(-1)?.artifacts : undefined
  return artifacts === undefined ? null : new Map(artifacts.map((one) => [one.name, one]))
}
