import { EXPLANATION_SCHEMA, type Explanation } from '../model/explanation.ts'
import { archiveFindings } from './archive.ts'
import { openTar } from './contents.ts'
import { explainCpio } from './cpio/explain-cpio.ts'
import { EXPLAIN_LIMITS, type ExplainLimits } from './limits.ts'
import { explainRaw } from './raw/explain-raw.ts'
import type { ArchiveDifferences } from './rule.ts'
import { explainTrees, type TreeSide } from './tree.ts'

export type Side = {
  /** Tree manifest as it streams by; null for artifacts that are no archive of a tree. */
  readonly manifest: AsyncIterable<Uint8Array> | null
  /** Path of the uncompressed tar (canonical or not) or of the raw artifact; null where its bytes are not at hand. */
  readonly file: string | null
  /** Why there is no manifest, where the file is an archive and its tree could not be read. */
  readonly unread?: string | undefined
  /** What to call this side in the result. */
  readonly label: string
}

export type ExplainOptions = {
  readonly left: Side
  readonly right: Side
  readonly archive?: ArchiveDifferences | undefined
  readonly limits?: ExplainLimits | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Says why two artifacts differ: by tree manifests where both sides have one, else byte by byte. The result is bounded, and says so
 * where something was left out. Rejects with `tree-manifest-malformed` or `tree-manifest-unordered`, and with the signal's reason.
 */
export async function explain(o: ExplainOptions): Promise<Explanation> {
  const limits = o.limits ?? EXPLAIN_LIMITS
  const explanation = await explainSides(o, limits)
  const findings = o.archive === undefined ? [] : archiveFindings(o.archive)
  return { ...explanation, findings: [...findings, ...explanation.findings] }
}

async function explainSides(o: ExplainOptions, limits: ExplainLimits): Promise<Explanation> {
  const { left, right, signal } = o
  if (left.manifest !== null && right.manifest !== null)
    return explainTrees({ left: tarSide(left, left.manifest), right: tarSide(right, right.manifest), limits, signal })
  if (left.file !== null && right.file !== null) {
    const files = { left: { file: left.file, label: left.label }, right: { file: right.file, label: right.label }, limits, signal }
    return withReasons((await explainCpio(files)) ?? (await explainRaw(files)), [left, right])
  }
  const missing = [left, right].filter((side) => side.file === null).map((side) => side.label)
  return {
    schema: EXPLANATION_SCHEMA,
    state: 'skip',
    reason: `neither tree manifests of both sides nor the bytes of ${missing.join(' and ')} are at hand`,
    left: left.label,
    right: right.label,
    totals: { added: 0, removed: 0, changed: 0, unlisted: 0, bytes: 0, ranges: 0 },
    packages: [],
    findings: [],
    changes: [],
    ranges: [],
  }
}

/** An archive that is compared byte by byte is not explained wholly: its paths were not looked at. */
function withReasons(explanation: Explanation, sides: readonly Side[]): Explanation {
  const unread = sides.flatMap((side) => (side.unread === undefined ? [] : [`${side.label} cannot be read as a tree: ${side.unread}`]))
  if (unread.length === 0 || explanation.state === 'skip') return explanation
  const reasons = [...unread, ...(explanation.reason === null ? [] : [explanation.reason])]
  return { ...explanation, state: 'truncated', reason: reasons.join('; ') }
}

function tarSide(side: Side, manifest: AsyncIterable<Uint8Array>): TreeSide {
  return { manifest, label: side.label, open: (wanted) => openTar(side, wanted) }
}
