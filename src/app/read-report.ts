import { parseReport } from '../../attestations/statement/parse-report.ts'
import type { KnownLock } from '../../attestations/statement/provenance.ts'
import { parseLock } from '../../verifier/builder/inputs/parse-lock.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { readNamedFile, readNamedJson } from '../../verifier/bytes/named-file.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { MAX_LOCK_BYTES } from '../../verifier/model/lock.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'

export type ReadReport = {
  readonly report: VerificationReport /** Of the exact bytes. */
  readonly sha256: Sha256
  readonly bytes: Uint8Array
}

/** Reads a verification report as `parseReport` does. Failures: `file-unreadable`, `json-…`, `report-malformed`. */
export async function readReport(file: string, signal: AbortSignal): Promise<ReadReport> {
  const { bytes, value } = await readNamedJson(file, 'the report', signal)
  return { report: parseReport(value), sha256: digestOf(bytes), bytes }
}

/** Reads the lock that a report names by its digest. Failures: `file-unreadable`, `input-lock-malformed`. */
export async function readKnownLock(file: string, signal: AbortSignal): Promise<KnownLock> {
  const bytes = await readNamedFile(file, { what: 'the input lock', maxBytes: MAX_LOCK_BYTES, signal })
  return { sha256: digestOf(bytes), lock: parseLock(bytes.toString('utf8')) }
}
