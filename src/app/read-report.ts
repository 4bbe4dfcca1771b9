import { createHash } from 'node:crypto'
import type { KnownLock } from '../../attestations/statement/provenance.ts'
import { parseLock } from '../../verifier/builder/inputs/inputs-archive.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { MAX_LOCK_BYTES } from '../../verifier/model/lock.ts'
import { VerificationReport } from '../../verifier/model/report.ts'
import { readNamedFile, readNamedJson } from './named-file.ts'

/**
 * Reads a verification report that anybody may have written, and the sha256 of its exact bytes. What its evidence bears out is for the
 * statements to say. Failures: `file-unreadable`, `json-…`, `report-malformed`.
 */
export async function readReport(file: string, signal: AbortSignal): Promise<{ report: VerificationReport; sha256: Sha256 }> {
  const { bytes, value } = await readNamedJson(file, 'the report', signal)
  const parsed = VerificationReport.safeParse(value)
  if (parsed.success) return { report: parsed.data, sha256: digestOf(bytes) }
  throw new Failure({
    code: 'report-malformed',
    message: 'the file is not a verification report',
    hint: 'give what bitwitness verify wrote with --json or --report; a check claims nothing, so that there is nothing to attest',
  })
}

/** Reads the lock that a report names by its digest. Failures: `file-unreadable`, `input-lock-malformed`. */
export async function readKnownLock(file: string, signal: AbortSignal): Promise<KnownLock> {
  const bytes = await readNamedFile(file, { what: 'the input lock', maxBytes: MAX_LOCK_BYTES, signal })
  return { sha256: digestOf(bytes), lock: parseLock(bytes.toString('utf8')) }
}

function digestOf(bytes: Uint8Array): Sha256 {
  return Sha256.parse(createHash('sha256').update(bytes).digest('hex'))
}
