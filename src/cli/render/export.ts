import { withPrefix } from '../../../verifier/model/digest.ts'
import { visible } from '../../../verifier/model/visible.ts'
import type { ExportReport } from '../../app/export-report.ts'
import { formatSize } from '../../config/size.ts'
import { paint } from './paint.ts'

const LEFT_OUT: Readonly<Record<ExportReport['leftOut'][number], string>> = {
  source: 'the source, which has no public address: whoever rebuilds needs it from you (--source)',
  inputs: 'the inputs: whoever rebuilds needs mirrors that still have them (--inputs)',
  'tree-manifest': 'a tree manifest that is not stored here',
}

/** What was put into a proof, and how anybody checks it. */
export function exportLines(report: ExportReport, options: { readonly color: boolean; readonly file: string }): string[] {
  const brushes = paint(options.color)
  const { verdict, tier, sha256 } = report.report
  const file = visible(options.file)
  const bundles = report.members.flatMap((one) => (one.role === 'bundle' ? [one] : []))
  const others = report.members.filter(({ role }) => role !== 'bundle' && role !== 'statement')
  return [
    `${brushes.good('exported')} ${verdict}${tier === null ? '' : ` (${tier})`}, report ${withPrefix(sha256)}`,
    `  ${file}  ${withPrefix(report.sha256)}  ${formatSize(report.size)}`,
    '',
    ...bundles.flatMap(({ path, predicateType, subjects }) => [
      `${brushes.strong(visible(predicateType))}  ${path}`,
      ...subjects.map((subject) => `  about  ${withPrefix(subject.sha256)}  ${visible(subject.name)}`),
    ]),
    '',
    'with',
    ...others.map(({ path, size }) => `  ${path}  ${formatSize(size)}`),
    ...(report.leftOut.length === 0 ? [] : ['', 'without', ...report.leftOut.map((one) => `  ${LEFT_OUT[one]}`)]),
    '',
    'To check it, with a key or identity that reached you by another way:',
    '',
    `  bitwitness verify --from ${file} --key FILE`,
  ]
}
