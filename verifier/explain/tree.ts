import { type Change, EXPLANATION_SCHEMA, type Explanation } from '../model/explanation.ts'
import { type Contents, noContents, type Wanted } from './contents.ts'
import { type PackageDifference, packageDifferences } from './dpkg/package-changes.ts'
import { recordedPackage } from './dpkg/package-record.ts'
import { collectDrafts, type Draft } from './drafts.ts'
import { inspect } from './inspect/inspect.ts'
import type { Inspection } from './inspect/signal.ts'
import { Judge } from './judge.ts'
import type { ExplainLimits } from './limits.ts'
import type { PathEvidence } from './rule.ts'

export type TreeSide = {
  readonly manifest: AsyncIterable<Uint8Array>
  readonly label: string
  /** Finds the contents of the differing paths. */
  readonly open: (wanted: Wanted) => Promise<Contents>
}

export type TreeOptions = {
  readonly left: TreeSide
  readonly right: TreeSide
  readonly limits: ExplainLimits
  readonly signal?: AbortSignal | undefined
}

/** Explains two trees from their manifests, and from the bytes where they are at hand. */
export async function explainTrees(o: TreeOptions): Promise<Explanation> {
  const { limits, signal } = o
  const { drafts, totals } = await collectDrafts({
    left: o.left.manifest,
    right: o.right.manifest,
    maxManifestLine: limits.maxManifestLine,
    maxChanges: limits.maxChanges,
    signal,
  })
  const paths = new Set(drafts.map((draft) => draft.raw))
  const wanted = { paths, limits, signal }
  // Equal trees are known to be equal without opening anything.
  await using left = drafts.length === 0 ? noContents(null) : await o.left.open(wanted)
  await using right = drafts.length === 0 ? noContents(null) : await o.right.open(wanted)
  const packages = driftOf(left, right)
  const drifted = new Map(packages.toReversed().map((one) => [one.name, one]))
  const owned = drafts.map((draft) => ({ draft, ...ownerOf(draft, { left, right, drifted }) }))
  const inspections = await inspectContents(owned, { left, right, limits, signal })

  const judge = new Judge(limits.maxSamples)
  const pathsOfPackage = new Map<PackageDifference, number>()
  const ownersKnown = left.ownership !== null || right.ownership !== null
  const changes = owned.map(({ draft, owner, drift }): Change => {
    if (drift !== null) pathsOfPackage.set(drift, (pathsOfPackage.get(drift) ?? 0) + 1)
    const inspection = inspections.found.get(draft) ?? null
    const evidence: PathEvidence = { ...draft, path: draft.raw, inspection, ownersKnown, owner, drift, anyDrift: packages.length > 0 }
    const rules = judge.judge(draft.path, evidence)
    return { path: draft.path, kind: draft.kind, what: [...draft.what], package: owner, rules, content: inspection?.detail ?? null }
  })
  const reasons = [left.missing, right.missing].filter((reason) => reason !== null)
  if (totals.unlisted > 0) reasons.push(`${totals.unlisted} differing paths are not listed`)
  if (inspections.skipped > 0) reasons.push(`the contents of ${inspections.skipped} files were not looked into`)
  if (packages.length > limits.maxPackages) reasons.push(`${packages.length - limits.maxPackages} packages are not listed`)
  return {
    schema: EXPLANATION_SCHEMA,
    state: reasons.length === 0 ? 'complete' : 'truncated',
    reason: reasons.length === 0 ? null : reasons.join('; '),
    left: o.left.label,
    right: o.right.label,
    totals: { ...totals, bytes: 0, ranges: 0 },
    packages: packages.slice(0, limits.maxPackages).map((one) => ({ ...one, paths: pathsOfPackage.get(one) ?? 0 })),
    findings: judge.findings(),
    changes,
    ranges: [],
  }
}

/** Differing packages; none where a side's database is not at hand. */
function driftOf(left: Contents, right: Contents): PackageDifference[] {
  if (left.ownership === null || right.ownership === null) return []
  return packageDifferences(left.ownership.installed, right.ownership.installed)
}

type Owned = { readonly draft: Draft; readonly owner: string | null; readonly drift: PackageDifference | null }
type Sides = { readonly left: Contents; readonly right: Contents }

function ownerOf(draft: Draft, o: Sides & { readonly drifted: ReadonlyMap<string, PackageDifference> }): Pick<Owned, 'owner' | 'drift'> {
  const directory = (draft.left ?? draft.right)?.type === 'd'
  const owners = [o.left, o.right].flatMap(({ ownership }) => {
    const owner = ownership?.owners.get(draft.raw)
    return owner === undefined || (directory && ownership?.shared.has(draft.raw) === true) ? [] : [owner]
  })
  const names = [...owners, recordedPackage(draft.raw) ?? '']
  // A file may pass from one package to another: the one that changed tells why.
  const drift = names.map((name) => o.drifted.get(name)).find((found) => found !== undefined)
  return { owner: owners[0] ?? null, drift: drift ?? null }
}

async function inspectContents(
  owned: readonly Owned[],
  o: Sides & { readonly limits: ExplainLimits; readonly signal?: AbortSignal | undefined },
): Promise<{ found: Map<Draft, Inspection>; skipped: number }> {
  const found = new Map<Draft, Inspection>()
  const [left, right] = [o.left.index, o.right.index]
  if (left === null || right === null) return { found, skipped: 0 }
  // What no package explains comes first: it is what a reader looks for.
  const wanted = owned.filter(({ draft }) => draft.aspects.has('content'))
  const queue = [...wanted.filter(({ drift }) => drift === null), ...wanted.filter(({ drift }) => drift !== null)]
  const deadline = performance.now() + o.limits.maxInspectionTime
  let [skipped, readable, lines] = [0, o.limits.maxReadSize, o.limits.maxTotalDiffLines]
  for (const { draft } of queue) {
    o.signal?.throwIfAborted()
    const [a, b] = [left.files.get(draft.raw), right.files.get(draft.raw)]
    const size = (a?.size ?? 0) + (b?.size ?? 0)
    if (a === undefined || b === undefined || found.size >= o.limits.maxInspected || size > readable || performance.now() > deadline) {
      skipped += 1
      continue
    }
    readable -= size
    const limits = { ...o.limits, maxDiffLines: Math.min(o.limits.maxDiffLines, lines) }
    const inspection = await inspect({ path: draft.raw, left: a, right: b, limits, signal: o.signal })
    lines -= inspection.detail.diff?.length ?? 0
    found.set(draft, inspection)
  }
  return { found, skipped }
}
