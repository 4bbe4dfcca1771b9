import { CheckReport } from '../../../verifier/model/report.ts'
import { command } from '../command.ts'
import { exitOfVerdict } from '../exit-code.ts'
import { LogTail } from '../log-tail.ts'
import { printAnswer } from '../output.ts'
import { type RebuildFlags, rebuildFlags, rebuilding } from '../rebuild-flags.ts'
import { reportLines } from '../render/report.ts'
import { requireReportFile } from '../report-file.ts'
import { sourceArgument } from '../source-argument.ts'

export const check = command<RebuildFlags, [string]>({
  brief: 'Build a recipe more than once and say whether it gives the same bytes',
  parameters: { flags: rebuildFlags, positional: sourceArgument },
  async run(io, flags, source) {
    const tail = new LogTail()
    await requireReportFile(flags.report)
    await using useCases = await io.open()
    const report = await rebuilding(io, flags, source, (o) => useCases.check({ ...o, emit: tail.before(o.emit) }))
    await printAnswer(io, {
      json: flags.json,
      file: flags.report,
      schema: CheckReport,
      value: report,
      lines: () => reportLines(report, { color: io.color, tail }),
    })
    return exitOfVerdict(report.verdict)
  },
})
