import { logText } from '../../../verifier/attempt/log-lines.ts'
import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import type { Reads } from '../store/store-ports.ts'
import { readAttempt } from './read-attempts.ts'
import type { ReadPorts } from './read-verifications.ts'

/** The whole log, or a part of what came by events: `next` is the number of its last event where there is more. */
export type LogRead =
  | { readonly kind: 'whole'; readonly bytes: AsyncIterable<Uint8Array> }
  | { readonly kind: 'part'; readonly bytes: Uint8Array<ArrayBuffer>; readonly next: number | null }

/** Of one part: whoever asks again and again has what they ask for read again and again. */
const MOST_BYTES = 1 << 20
const MOST_LINES = 10_000
/** Lines that are read at a time. */
const BATCH = 500

/**
 * The log as text, a line each, with everything that a terminal would obey made visible: the blob once it may be shown, and until then, or
 * where that is gone, what came by events so far, in parts. With `after`, the number of an event, the part after that one, from events even
 * where the blob is there: whoever began with parts goes on with them. Fails with `attempt-unknown`.
 */
export async function readAttemptLog(
  { reads, blobs }: ReadPorts & { readonly blobs: BlobStore },
  { id, after }: { readonly id: string; readonly after: number | null },
): Promise<LogRead> {
  const { verificationId, number: attempt, report } = (await readAttempt({ reads }, id)).attempt
  const log = after === null ? (report?.log ?? null) : null
  if (log !== null && (await blobs.size(log)) !== undefined) return { kind: 'whole', bytes: logText(await blobs.open(log)) }
  return await partOf(reads, { verificationId, attempt, after: after ?? 0 })
}

async function partOf(reads: Reads, { after, ...of }: { verificationId: string; attempt: number; after: number }): Promise<LogRead> {
  const texts: Buffer<ArrayBuffer>[] = []
  let [size, place] = [0, after]
  for (;;) {
    const lines = await reads.events.lines({ ...of, after: place, limit: BATCH })
    for (const { seq, line } of lines) {
      const text = Buffer.from(`${line}\n`, 'utf8')
      size += text.length
      if (size > MOST_BYTES || texts.length === MOST_LINES) return { kind: 'part', bytes: Buffer.concat(texts), next: place }
      texts.push(text)
      place = seq
    }
    if (lines.length < BATCH) return { kind: 'part', bytes: Buffer.concat(texts), next: null }
  }
}
