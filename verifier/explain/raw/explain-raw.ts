import { open } from 'node:fs/promises'
import { type Change, type DifferingRange, EXPLANATION_SCHEMA, type Explanation } from '../../model/explanation.ts'
import type { Finding } from '../../model/finding.ts'
import { type ByteView, viewFile, viewPart } from '../byte-view.ts'
import { firstDifference } from '../inspect/byte-ranges.ts'
import { inspect } from '../inspect/inspect.ts'
import { Judge } from '../judge.ts'
import type { ExplainLimits } from '../limits.ts'
import type { RuleText } from '../rule.ts'
import { unexplained } from '../rules/unexplained.ts'
import { compareBytes } from './compare-bytes.ts'
import { locate } from './layout.ts'
import { readPe } from './pe.ts'
import type { Sides } from './place.ts'

export type RawSide = { readonly file: string; readonly label: string }

export type RawOptions = {
  readonly left: RawSide
  readonly right: RawSide
  readonly limits: ExplainLimits
  readonly signal?: AbortSignal | undefined
}

/** Explains two artifacts that are no archive of a tree (disk, ESP, UKI) from where their bytes differ. */
export async function explainRaw(o: RawOptions): Promise<Explanation> {
  await using left = await open(o.left.file, 'r')
  await using right = await open(o.right.file, 'r')
  const sides = {
    left: viewFile(left, { offset: 0, size: (await left.stat()).size }),
    right: viewFile(right, { offset: 0, size: (await right.stat()).size }),
  }
  const differences = await compareBytes(sides, { maxRanges: o.limits.maxRanges, signal: o.signal })
  const place = differences.total === 0 ? null : await locate(sides)
  const tallies = new Map<RuleText, { samples: string[]; ranges: number }>()
  const ranges: DifferingRange[] = []
  for (const { offset, length } of differences.ranges) {
    o.signal?.throwIfAborted()
    const tail = offset >= Math.min(sides.left.size, sides.right.size)
    const found = tail ? { where: 'beyond the end of the shorter one', rule: null } : ((await place?.({ offset, length })) ?? null)
    ranges.push({ offset, length, where: found?.where ?? null, rule: found?.rule?.id ?? null })
    const rule = found?.rule ?? unexplained
    const tally = tallies.get(rule) ?? { samples: [], ranges: 0 }
    tallies.set(rule, tally)
    tally.ranges += 1
    if (tally.samples.length < o.limits.maxSamples) tally.samples.push(`${offset}+${length} ${found?.where ?? 'unknown place'}`)
  }
  const sections = differences.total === 0 ? { changes: [], findings: [] } : await explainSections(sides, o)
  const unlisted = differences.total - ranges.length
  return {
    schema: EXPLANATION_SCHEMA,
    state: unlisted > 0 ? 'truncated' : 'complete',
    reason: unlisted > 0 ? `${unlisted} differing stretches are not listed` : null,
    left: o.left.label,
    right: o.right.label,
    totals: { added: 0, removed: 0, changed: sections.changes.length, unlisted: 0, bytes: differences.bytes, ranges: differences.total },
    packages: [],
    findings: [...[...tallies].map(([rule, tally]) => rangeFinding(rule, tally)), ...sections.findings],
    changes: sections.changes,
    ranges,
  }
}

function rangeFinding(rule: RuleText, { samples, ranges }: { readonly samples: string[]; readonly ranges: number }): Finding {
  const more = ranges - samples.length
  return {
    rule: rule.id,
    severity: rule.severity,
    path: null,
    line: null,
    message: rule.text,
    evidence: more > 0 ? [...samples, `and ${more} more`] : samples,
    remedy: rule.remedy,
  }
}

/** Looks into the sections of two PE files by name, as into files of a tree: where one grew, all bytes behind it have moved. */
async function explainSections(sides: Sides, o: RawOptions): Promise<{ changes: Change[]; findings: Finding[] }> {
  const [a, b] = [await readPe(sides.left), await readPe(sides.right)]
  if (a === null || b === null) return { changes: [], findings: [] }
  const judge = new Judge(o.limits.maxSamples)
  const changes: Change[] = []
  for (const name of new Set([...a.sections, ...b.sections].map((section) => section.name))) {
    const [one, other] = [a, b].map(({ sections }) => sections.find((section) => section.name === name))
    const left = one === undefined ? null : viewPart(sides.left, one.offset, one.size)
    const right = other === undefined ? null : viewPart(sides.right, other.offset, other.size)
    if (left !== null && right !== null && (await equal(left, right))) continue
    const kind = left === null ? 'added' : right === null ? 'removed' : 'changed'
    const inspection =
      left === null || right === null ? null : await inspect({ path: name, left, right, limits: o.limits, signal: o.signal })
    const aspects = new Set(kind === 'changed' ? (['content'] as const) : (['entry'] as const))
    const rules = judge.judge(name, {
      path: name,
      kind,
      left: null,
      right: null,
      aspects,
      inspection,
      ownersKnown: false,
      owner: null,
      drift: null,
      anyDrift: false,
    })
    const what = [...aspects].map((aspect) => ({ aspect, left: size(left), right: size(right) }))
    changes.push({ path: name, kind, what, package: null, rules, content: inspection?.detail ?? null })
  }
  // That bytes differ which no rule explains is said once, by the ranges.
  return { changes, findings: judge.findings().filter((finding) => finding.rule !== unexplained.id) }
}

function size(view: ByteView | null): string | null {
  return view === null ? null : `${view.size} bytes`
}

const CHUNK = 1024 * 1024

async function equal(left: ByteView, right: ByteView): Promise<boolean> {
  if (left.size !== right.size) return false
  for (let at = 0; at < left.size; at += CHUNK) {
    if (firstDifference(await left.read(at, CHUNK), await right.read(at, CHUNK)) !== -1) return false
  }
  return true
}
