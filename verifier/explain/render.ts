import type { Change, Explanation, PackageChange } from '../model/explanation.ts'
import type { Finding } from '../model/finding.ts'

export type RenderOptions = {
  /** Lines of all diffs together. */
  readonly maxDiffLines: number
  /** Paths named under one heading. */
  readonly maxPaths: number
}

const DEFAULTS: RenderOptions = { maxDiffLines: 2_000, maxPaths: 200 }

/**
 * An explanation as plain lines for a terminal or a log: packages, then findings by rule with their remedies, then paths with what
 * changed, those of a package together, diffs indented. Everything in an explanation is escaped already; nothing here needs colour.
 */
export function renderExplanation(explanation: Explanation, options: Partial<RenderOptions> = {}): string[] {
  const bounds = { ...DEFAULTS, ...options }
  return [
    ...heading(explanation),
    ...section('Packages', explanation.packages.map(packageLine)),
    ...section('Findings', explanation.findings.flatMap(findingLines)),
    ...section('Paths', pathLines(explanation.changes, bounds)),
    ...section('Bytes', rangeLines(explanation, bounds)),
  ]
}

function heading({ state, reason, left, right, totals, findings }: Explanation): string[] {
  const counts = [
    [totals.changed, 'changed'],
    [totals.added, 'added'],
    [totals.removed, 'removed'],
  ] as const
  const paths = counts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`)
  if (totals.ranges > 0) paths.push(`${totals.bytes} bytes in ${totals.ranges} ${totals.ranges === 1 ? 'stretch' : 'stretches'}`)
  const none = findings.length === 0 ? 'no difference' : 'the same contents in another form, as the findings say'
  const said = paths.length > 0 ? paths.join(', ') : state === 'skip' ? 'not compared' : none
  return [`- ${left}`, `+ ${right}`, said, ...(reason === null ? [] : [`${state}: ${reason}`])]
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)]
}

function packageLine({ name, architecture, kind, left, right, paths }: PackageChange): string {
  const versions = kind === 'added' ? right : kind === 'removed' ? left : `${left} → ${right}`
  return `${name}:${architecture} ${kind} ${versions} (${paths} ${paths === 1 ? 'path' : 'paths'})`
}

function findingLines({ rule, severity, path, message, evidence, remedy }: Finding): string[] {
  const where = path === null ? '' : ` ${path}`
  const shown = evidence.length === 1 && evidence[0] === path ? [] : evidence
  return [`${rule} (${severity})${where}`, `  ${message}`, ...shown.map((line) => `    ${line}`), `  remedy: ${remedy}`]
}

/** Paths of no package first: they are what a reader can do something about. */
function pathLines(changes: readonly Change[], bounds: RenderOptions): string[] {
  const groups = new Map<string, Change[]>()
  for (const change of changes) {
    const group = groups.get(change.package ?? '')
    if (group === undefined) groups.set(change.package ?? '', [change])
    else group.push(change)
  }
  let diffLines = bounds.maxDiffLines
  const names = [...groups.keys()].toSorted()
  return names.flatMap((name) => {
    const group = groups.get(name) ?? []
    const lines = [name === '' ? 'of no package' : `of ${name}`]
    for (const change of group.slice(0, bounds.maxPaths)) {
      const diff = change.content?.diff ?? []
      const shown = diff.slice(0, diffLines)
      diffLines -= shown.length
      const omitted = diff.length - shown.length + (change.content?.diffOmitted ?? 0)
      lines.push(...changeLines(change).map((line) => `  ${line}`), ...shown.map((line) => `      ${line}`))
      if (omitted > 0) lines.push(`      … ${omitted} more lines of the diff`)
    }
    if (group.length > bounds.maxPaths) lines.push(`  … ${group.length - bounds.maxPaths} more paths`)
    return lines
  })
}

const MARKS = { added: '+', removed: '-', changed: '~' } as const
/** Long digests tell a reader nothing that their difference does not. */
const UNSAID = new Set(['entry', 'content'])

function changeLines({ kind, path, what, rules, content }: Change): string[] {
  const said = what.map(({ aspect, left, right }) => (UNSAID.has(aspect) ? aspect : `${aspect} ${left ?? 'none'} → ${right ?? 'none'}`))
  const aspects = kind === 'changed' ? ` ${said.join(', ')}` : ''
  const lines = [`${MARKS[kind]} ${path}${aspects} [${rules.join(', ')}]`]
  if (content === null) return lines
  if (content.format !== 'text' || content.notes.length > 0) lines.push(`    ${[content.format, ...content.notes].join('; ')}`)
  const first = content.firstDifference
  if (first !== null) lines.push(`    from byte ${first.offset}: ${first.left || 'end'} → ${first.right || 'end'}`)
  return lines
}

function rangeLines({ ranges, totals }: Explanation, bounds: RenderOptions): string[] {
  const shown = ranges.slice(0, bounds.maxPaths)
  const lines = shown.map(({ offset, length, where, rule }) => `${offset}+${length} ${where ?? 'unknown place'} [${rule ?? 'unexplained'}]`)
  return totals.ranges > shown.length ? [...lines, `… ${totals.ranges - shown.length} more`] : lines
}
