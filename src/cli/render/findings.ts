import type { Finding } from '../../../verifier/model/finding.ts'
import { visible } from '../../../verifier/model/visible.ts'
import type { Paint } from './paint.ts'

const EVIDENCE_SHOWN = 6
const PLACES_SHOWN = 8

/** Findings for people: rule and place, what is the matter, the facts, the remedy. What one rule says of many places is said once. */
export function findingLines(findings: readonly Finding[], brushes: Paint): string[] {
  const groups = Map.groupBy(findings, ({ rule, severity, message, remedy }) => JSON.stringify([rule, severity, message, remedy]))
  return [...groups.values()].flatMap((group) => groupLines(group, brushes))
}

function groupLines(group: readonly Finding[], brushes: Paint): string[] {
  const [first] = group
  if (first === undefined) return []
  const severity = first.severity === 'refuse' ? brushes.bad('refuse') : first.severity === 'warn' ? brushes.unsure('warn') : 'info'
  const where = group.length === 1 ? placeOf(first) : `${group.length} places`
  const facts =
    group.length === 1
      ? shown(first.evidence, EVIDENCE_SHOWN)
      : shown(
          group.map((one) => [placeOf(one), ...one.evidence].join('  ')),
          PLACES_SHOWN,
        )
  return [
    `  ${severity}  ${brushes.strong(first.rule)}${where === '' ? '' : `  ${where}`}`,
    `        ${visible(first.message)}`,
    ...facts.map((fact) => `          ${fact}`),
    `        remedy: ${visible(first.remedy)}`,
  ]
}

function placeOf({ path, line }: Finding): string {
  if (path === null) return ''
  return `${visible(path)}${line === null ? '' : `:${line}`}`
}

function shown(lines: readonly string[], count: number): string[] {
  const hidden = lines.length - count
  return [...lines.slice(0, count).map(visible), ...(hidden > 0 ? [`and ${hidden} more, which --json lists`] : [])]
}
