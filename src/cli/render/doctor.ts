import { visible } from '../../../verifier/model/visible.ts'
import type { DoctorReport } from '../../app/doctor.ts'
import { paint } from './paint.ts'

/** Every check with its remedy, where it needs one. */
export function doctorLines(report: DoctorReport, options: { readonly color: boolean }): string[] {
  const brushes = paint(options.color)
  const brush = { pass: brushes.good, warn: brushes.unsure, fail: brushes.bad, skip: brushes.faint }
  const width = Math.max(...report.checks.map((check) => check.id.length))
  return [
    (report.verdict === 'ready' ? brushes.good : brushes.bad)(report.verdict),
    '',
    ...report.checks.flatMap((check) => [
      `  ${brush[check.state](check.state)}  ${check.id.padEnd(width)}  ${visible(check.message)}`,
      ...(check.remedy === null || check.state === 'pass' ? [] : [`  ${' '.repeat(width + 8)}remedy: ${visible(check.remedy)}`]),
    ]),
  ]
}
