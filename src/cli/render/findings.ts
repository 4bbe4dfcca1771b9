import type { Finding } from '../../../verifier/model/finding.ts'
import { visible } from '../visible.ts'
import type { Paint } from './paint.ts'

const EVIDENCE_SHOWN = 6

/** Findings for people: rule and place, what is the matter, the facts, the remedy. */
export function findingLines(findings: readonly Finding[], brushes: Paint): string[] {
  return findings.flatMap((finding) => {
    const place = finding.path === null ? '' : `  ${visible(finding.path)}${finding.line === null ? '' : `:${finding.line}`}`
    const severity = finding.severity === 'refuse' ? brushes.bad('refuse') : finding.severity === 'warn' ? brushes.unsure('warn') : 'info'
    const hidden = finding.evidence.length - EVIDENCE_SHOWN
    return [
      `  ${severity}  ${brushes.strong(finding.rule)}${place}`,
      `        ${visible(finding.message)}`,
      ...finding.evidence.slice(0, EVIDENCE_SHOWN).map((fact) => `          ${visible(fact)}`),
      ...(hidden > 0 ? [`          and ${hidden} more`] : []),
      `        remedy: ${visible(finding.remedy)}`,
    ]
  })
}
