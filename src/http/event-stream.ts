import type { AttemptEvent } from '../../verifier/model/event.ts'
import type { EndView } from '../app/service/api-documents.ts'
import type { Followed } from '../app/service/followers.ts'
import type { Verification } from '../app/store/records.ts'
import { shownJson } from './json-answer.ts'

/** The id of what comes last. A client that comes back with it has heard everything. */
export const END_ID = 'end'

/** How long a client waits before it comes back, ms. */
const RETRY_MS = 3000

const encoder = new TextEncoder()
/** Written once for all who follow, for as long as anybody has the event. */
const written = new WeakMap<AttemptEvent, Uint8Array>()

/** `text/event-stream` (WHATWG HTML, 9.2) of what a follower hears: each batch in one piece. */
export async function* eventStream(followed: AsyncIterable<readonly Followed[]>): AsyncGenerator<Uint8Array> {
  yield encoder.encode(`retry: ${RETRY_MS}\n\n`)
  for await (const batch of followed) yield Buffer.concat(batch.map(write))
}

function write(followed: Followed): Uint8Array {
  switch (followed.kind) {
    case 'event':
      return writeEvent(followed.event)
    case 'beat':
      return encoder.encode(': still here\n\n')
    case 'end':
      return encoder.encode(`id: ${END_ID}\nevent: end\ndata: ${shownJson(endView(followed.verification))}\n\n`)
  }
}

function writeEvent(event: AttemptEvent): Uint8Array {
  const bytes = written.get(event) ?? encoder.encode(`id: ${event.seq}\nevent: ${event.kind}\ndata: ${shownJson(event)}\n\n`)
  written.set(event, bytes)
  return bytes
}

function endView({ id, state, verdict, tier }: Verification): EndView {
  return { verification: id, state: state === 'cancelled' ? state : 'finished', verdict, tier }
}
