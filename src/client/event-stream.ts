import { malformed } from './failures.ts'

/** One server-sent event. `id` is the last one that was named, `event` its name, `message` where it has none. */
export type StreamEvent = { readonly id: string; readonly event: string; readonly data: string }

/** A log line has at most 4096 characters, each of which JSON may write as six; a finding is longer. */
const MAX_EVENT = 1 << 20

/**
 * Reads `text/event-stream` (WHATWG HTML, 9.2.6). What the stream ends within is dropped: its event was not sent whole. Fails
 * with `server-answer-malformed` for an event that is longer than any of ours.
 */
export async function* readEventStream(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent, void, void> {
  const lines = linesOf(bytes)
  let [event, id] = ['', '']
  let data: string[] = []
  let size = 0
  for await (const line of lines) {
    if (line === '') {
      if (data.length > 0) yield { id, event: event === '' ? 'message' : event, data: data.join('\n') }
      event = ''
      data = []
      size = 0
      continue
    }
    size += line.length
    if (size > MAX_EVENT) throw malformed()
    const colon = line.indexOf(':')
    if (colon === 0) continue
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'data') data.push(value)
    else if (field === 'event') event = value
    else if (field === 'id' && !value.includes('\0')) id = value
  }
}

async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder()
  let rest = ''
  let skipLineFeed = false
  for await (const part of bytes) {
    const decoded = decoder.decode(part, { stream: true })
    if (decoded === '') continue
    const text: string = skipLineFeed && decoded.startsWith('\n') ? decoded.slice(1) : decoded
    // A carriage return at the end ends a line, and may be half of a line break.
    skipLineFeed = text.endsWith('\r')
    const lines = (rest + (skipLineFeed ? text.slice(0, -1) : text)).split(/\r\n|\n|\r/)
    rest = skipLineFeed ? '' : (lines.pop() ?? '')
    if (rest.length > MAX_EVENT) throw malformed()
    yield* lines
  }
}
