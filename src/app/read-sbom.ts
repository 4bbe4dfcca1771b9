import { readBill } from '../../attestations/sbom/read-bill.ts'
import { readNamedJson } from '../../verifier/bytes/named-file.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'

/** Reads a bill of materials from a file, as `readBill` does. Failures: `file-unreadable`, `json-…` and those. */
export async function readSbom(file: string, report: VerificationReport, signal: AbortSignal): Promise<ReturnType<typeof readBill>> {
  return readBill(await readNamedJson(file, 'the bill of materials', signal), report)
}
