import { shortened, visible } from '../../../verifier/model/visible.ts'
import type { Inspection } from '../../app/inspect/inspection.ts'
import { paint } from './paint.ts'

/** An inspection for people: what it came to, of what, and every line with its reason. */
export function inspectionLines(inspection: Inspection, { color }: { readonly color: boolean }): string[] {
  const brushes = paint(color)
  const { verdict, url, app, lines } = inspection
  const brush = { pass: brushes.good, fail: brushes.bad, skip: brushes.unsure, info: brushes.faint }
  const shown = lines.flatMap(({ id, section, title, status, detail, reason }, index) => [
    ...(lines[index - 1]?.section === section ? [] : ['', brushes.strong(section)]),
    `  ${brush[status](status)}  ${id}  ${visible(title)}: ${visible(reason)}`,
    ...(detail === null ? [] : [`        ${shortened(visible(detail), 200)}`]),
  ])
  return [
    `${verdict === 'verified' ? brushes.good(verdict) : verdict === 'failed' ? brushes.bad(verdict) : brushes.unsure(verdict)}  ${MEANING[verdict]}`,
    `  ${visible(url)}`,
    ...(app.id === null ? [] : [`  app ${app.id}${app.instanceId === null ? '' : `, instance ${app.instanceId}`}`]),
    ...(app.composeHash === null ? [] : [`  compose hash ${app.composeHash}`]),
    ...shown,
    ...missing(inspection),
  ]
}

const MEANING: Readonly<Record<Inspection['verdict'], string>> = {
  verified: 'everything that it takes holds, from the hardware to the attestations',
  failed: 'something does not hold',
  simulated: 'SIMULATED: a key stands in for Intel’s, so that this proves nothing of any machine',
  unproven: 'nothing speaks against it, and not everything that it takes could be checked',
}

function missing({ verdict, lines }: Inspection): readonly string[] {
  if (verdict === 'verified' || verdict === 'failed') return []
  const open = [...new Set(lines.filter(({ needed, status }) => needed && status !== 'pass').map(({ id }) => id))]
  return open.length === 0 ? [] : ['', `not proven: ${open.join(', ')}`]
}
