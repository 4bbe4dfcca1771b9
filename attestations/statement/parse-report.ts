import { Failure } from '../../verifier/model/failure.ts'
import { VerificationReport } from '../../verifier/model/report.ts'

/**
 * What strictly read JSON says, if that is a verification report. Anybody may have written it: what its evidence bears out is for
 * `reviewReport` to say. Failure: `report-malformed`.
 */
export function parseReport(json: unknown): VerificationReport {
  const parsed = VerificationReport.safeParse(json)
  if (parsed.success) return parsed.data
  throw new Failure({
    code: 'report-malformed',
    message: 'the file is not a verification report',
    hint: 'give what bitwitness verify wrote with --json or --report; a check claims nothing, so that there is nothing to attest',
  })
}
