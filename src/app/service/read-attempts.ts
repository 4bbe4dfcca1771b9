import { logText } from '../../../verifier/attempt/log-lines.ts'
import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { StoredAttempt, StoredTry, Verification } from '../store/records.ts'
import type { Reads } from '../store/store-ports.ts'
import { type ReadPorts, verificationUnknown } from './read-verifications.ts'

/** `report` is null until all attempts are committed: what one worker saw, no other could repeat. */
export type AttemptRead = { readonly attempt: StoredAttempt; readonly tries: readonly StoredTry[] }

/** Events that are read at a time. */
const BATCH = 1000

/** Fails with `attempt-unknown`. */
export async function readAttempt({ reads }: ReadPorts, id: string): Promise<AttemptRead> {
  return await withTries(reads, (await mustRead(reads, id)).attempt)
}

/** Those that were opened, in order. Fails with `verification-unknown`. */
export async function listAttempts({ reads }: ReadPorts, verificationId: string): Promise<readonly AttemptRead[]> {
  const verification = await reads.verifications.read(verificationId)
  if (verification === undefined) throw verificationUnknown()
  const attempts = await reads.attempts.of(verificationId)
  return await Promise.all(attempts.map((attempt) => withTries(reads, shown(attempt, verification))))
}

/**
 * The log as text, a line each, with everything that a terminal would obey made visible: the blob once it may be shown, and until then, or
 * where that is gone, what came by events so far. Fails with `attempt-unknown`.
 */
export async function readAttemptLog(
  { reads, blobs }: ReadPorts & { readonly blobs: BlobStore },
  id: string,
): Promise<AsyncIterable<Uint8Array>> {
  const { attempt } = await mustRead(reads, id)
  const log = attempt.report?.log ?? null
  if (log !== null && (await blobs.size(log)) !== undefined) return logText(await blobs.open(log))
  return linesSoFar(reads, attempt)
}

async function* linesSoFar(reads: Reads, { verificationId, number }: StoredAttempt): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for (let seq = 0; ; ) {
    const events = await reads.events.after(verificationId, seq, BATCH)
    const lines = events.flatMap((event) => (event.kind === 'log' && event.attempt === number ? [`${event.line}\n`] : []))
    if (lines.length > 0) yield encoder.encode(lines.join(''))
    const last = events.at(-1)
    if (last === undefined || events.length < BATCH) return
    seq = last.seq
  }
}

async function mustRead(reads: Reads, id: string): Promise<{ readonly attempt: StoredAttempt }> {
  const attempt = await reads.attempts.read(id)
  const verification = attempt === undefined ? undefined : await reads.verifications.read(attempt.verificationId)
  if (attempt !== undefined && verification !== undefined) return { attempt: shown(attempt, verification) }
  throw new Failure({ code: 'attempt-unknown', message: 'there is no such attempt', hint: 'check its id' })
}

/** Claims and reports come into the open together. */
function shown(attempt: StoredAttempt, verification: Verification): StoredAttempt {
  return verification.claims === null ? { ...attempt, report: null, indexes: [] } : attempt
}

async function withTries(reads: Reads, attempt: StoredAttempt): Promise<AttemptRead> {
  return { attempt, tries: await reads.attempts.tries(attempt.id) }
}
