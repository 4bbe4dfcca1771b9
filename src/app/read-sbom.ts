import { readBill } from '../../attestations/sbom/read-bill.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import { readNamedJson } from './named-file.ts'

/** Reads a bill of materials from a file, as `readBill` does. Failures: `file-unreadable`, `json-…` and those. */
export async function readSbom(file: string, report: VerificationReport, signal: AbortSignal): Promise<ReturnType<typeof readBill>> {
  return readBill(await readNamedJson(file, 'the bill of materials', signal), report)
}
