import { DoctorReport } from '../../app/doctor.ts'
import { command, jsonFlag } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { printAnswer } from '../output.ts'
import { doctorLines } from '../render/doctor.ts'

export const doctor = command<{ readonly json: boolean }, []>({
  brief: 'Say whether this machine can rebuild, and what to do where it cannot',
  parameters: { flags: jsonFlag },
  async run(io, flags) {
    await using useCases = await io.open()
    const report = await useCases.doctor(io.signal)
    await printAnswer(io, { json: flags.json, schema: DoctorReport, value: report, lines: () => doctorLines(report, io) })
    return report.verdict === 'ready' ? EXIT.yes : EXIT.no
  },
})
