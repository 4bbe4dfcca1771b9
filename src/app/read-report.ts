import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { KnownLock } from '../../attestations/statement/provenance.ts'
import { JSON_LIMITS, parseStrictJson } from '../../attestations/statement/strict-json.ts'
import { parseLock } from '../../verifier/builder/inputs/inputs-archive.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { VerificationReport } from '../../verifier/model/report.ts'

/** Locks hold a line an input. */
const MAX_LOCK = 64 << 20

/**
 * Reads a verification report that anybody may have written, and the sha256 of its exact bytes. What its evidence bears out is for the
 * statements to say. Failures: `file-unreadable`, `json-…`, `report-malformed`.
 */
export async function readReport(file: string, signal: AbortSignal): Promise<{ report: VerificationReport; sha256: Sha256 }> {
  const bytes = await readWhole(file, JSON_LIMITS.maxBytes, signal)
  const parsed = VerificationReport.safeParse(parseStrictJson(bytes))
  if (parsed.success) return { report: parsed.data, sha256: digestOf(bytes) }
  throw new Failure({
    code: 'report-malformed',
    message: 'the file is not a verification report',
    hint: 'give what bitwitness verify wrote with --json or --report; a check claims nothing, so that there is nothing to attest',
  })
}

/** Reads the lock that a report names by its digest. Failures: `file-unreadable`, `input-lock-malformed`. */
export async function readKnownLock(file: string, signal: AbortSignal): Promise<KnownLock> {
  const bytes = await readWhole(file, MAX_LOCK, signal)
  return { sha256: digestOf(bytes), lock: parseLock(bytes.toString('utf8')) }
}

/** The bytes of a file that was named; one more than `maxBytes` where it is longer. Failure: `file-unreadable`. */
export async function readWhole(file: string, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const parts: Buffer[] = []
  try {
    // One byte more than is taken, so that a longer file shows.
    for await (const part of createReadStream(file, { end: maxBytes, signal })) parts.push(part as Buffer)
  } catch (cause) {
    signal.throwIfAborted()
    throw new Failure({
      code: 'file-unreadable',
      message: 'a file that was named cannot be read',
      hint: 'name a file that is there',
      cause,
    })
  }
  return Buffer.concat(parts)
}

function digestOf(bytes: Uint8Array): Sha256 {
  return Sha256.parse(createHash('sha256').update(bytes).digest('hex'))
}
