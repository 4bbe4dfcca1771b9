import { visible } from '../../../verifier/model/visible.ts'
import type { ComposeFinding } from '../../app/compose/compose-finding.ts'
import type { ComposeLint } from '../../app/compose/lint-compose.ts'
import { type Paint, paint } from './paint.ts'

/** What would run, and what the rules say about it. */
export function composeLintLines(
  { verdict, composeHash, images, findings }: ComposeLint,
  { color }: { readonly color: boolean },
): string[] {
  const brushes = paint(color)
  return [
    verdict === 'accepted' ? brushes.good(verdict) : brushes.bad(verdict),
    ...(composeHash === null ? [] : [`  compose hash ${composeHash}`]),
    ...images.map(({ service, image }) => `  ${visible(service)}: ${visible(image ?? 'no image')}`),
    ...(findings.length === 0 ? [] : ['', 'findings', ...findings.flatMap((finding) => findingLines(finding, brushes))]),
  ]
}

function findingLines(
  { severity, rule, part, pointer, line, column, message, evidence, sha256, remedy }: ComposeFinding,
  brushes: Paint,
): string[] {
  const brush = { deny: brushes.bad, warn: brushes.unsure, info: brushes.faint }[severity]
  const place = line === null ? part : `${part}:${line}:${column ?? 1}`
  return [
    `  ${brush(severity)}  ${brushes.strong(rule)}  ${place}  ${pointer}`,
    `        ${message}${evidence.length === 0 ? '' : `: ${evidence.join(', ')}`}`,
    ...(severity === 'info' ? [] : [`        remedy: ${remedy}`]),
    ...(severity === 'info' || sha256 === null ? [] : [`        sha256 of the value: ${sha256}`]),
  ]
}
