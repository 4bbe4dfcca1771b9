import { setTimeout as delay } from 'node:timers/promises'
import type { z } from 'zod'
import { AttemptEvent } from '../../verifier/model/event.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { jsonOf } from '../../verifier/model/json-of.ts'
import { EndAnswer } from './answers.ts'
import { readEventStream, type StreamEvent } from './event-stream.ts'
import { malformed, problemOf, unreachable } from './failures.ts'

export type FollowOptions = {
  /** Of the event stream. */
  readonly url: URL
  readonly onEvent: (event: AttemptEvent) => void
  /** The connection was lost, and is made again. */
  readonly onLost?: () => void
  readonly signal: AbortSignal
  readonly patience?: FollowPatience
}

/** Milliseconds. The service says something every 15 s, if only that it is there. */
export type FollowPatience = {
  readonly silence: number
  readonly retryDelay: number
  readonly retryDelayMax: number
  readonly giveUp: number
}
const PATIENCE: FollowPatience = { silence: 60_000, retryDelay: 500, retryDelayMax: 15_000, giveUp: 600_000 }
const GOES_ON = 'check the address and the network, and run it again: what was submitted goes on, and the same command joins it'

/**
 * Follows a verification to its end: hears each event once, in order, however often the connection is lost. Resolves with how it ended.
 * Fails with `server-unreachable` where the service was away for ten minutes, with its own code where it refuses, or with the signal's
 * reason.
 */
export async function followEvents(o: FollowOptions): Promise<z.infer<typeof EndAnswer>> {
  const patience = o.patience ?? PATIENCE
  let last = ''
  let failures = 0
  let lostAt: number | undefined
  for (;;) {
    try {
      for await (const event of streamOf(o, last, patience)) {
        lostAt = undefined
        // A server that lets us in and says nothing is not asked more often for it.
        if (event === OPENED) continue
        failures = 0
        if (event.id !== '') last = event.id
        const end = heard(event, o.onEvent)
        if (end !== undefined) return end
      }
    } catch (error) {
      o.signal.throwIfAborted()
      if (!(error instanceof Failure && error.retryable)) throw error
      lostAt ??= performance.now()
      if (performance.now() - lostAt > patience.giveUp) throw error
      if (failures === 0) o.onLost?.()
    }
    // A stream that ends without an end is one that was cut off, such as by a service that is started anew.
    const wait = Math.min(patience.retryDelay * 2 ** failures, patience.retryDelayMax) * (0.5 + Math.random() / 2)
    failures = Math.min(failures + 1, 20)
    await delay(wait, undefined, { signal: o.signal }).catch(() => {})
    o.signal.throwIfAborted()
  }
}

/** Before the first event. */
const OPENED: StreamEvent = { id: '', event: 'opened', data: '' }

async function* streamOf({ url, signal }: FollowOptions, last: string, patience: FollowPatience): AsyncGenerator<StreamEvent, void, void> {
  using silence = new Silence(patience.silence)
  const headers = { accept: 'text/event-stream', 'user-agent': 'bitwitness', ...(last === '' ? {} : { 'last-event-id': last }) }
  try {
    const answer = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.any([signal, silence.signal]) })
    if (answer.status !== 200 || answer.body === null) throw problemOf(answer.status, await firstOf(answer.body))
    if (!(answer.headers.get('content-type') ?? '').startsWith('text/event-stream')) throw malformed()
    yield OPENED
    yield* readEventStream(silence.listen(answer.body))
  } catch (error) {
    throw error instanceof Failure ? error : unreachable('the connection was lost', GOES_ON)
  }
}

/** Enough of an answer for a problem document. */
async function firstOf(body: AsyncIterable<Uint8Array> | null): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body ?? []) {
    parts.push(part)
    size += part.length
    if (size > 64 << 10) break
  }
  return Buffer.concat(parts)
}

/** Aborts where nothing is heard for so long: a connection that is gone may look like one on which nothing happens. */
class Silence implements Disposable {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout

  constructor(ms: number) {
    this.#timer = setTimeout(() => this.#controller.abort(), ms)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  async *listen(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const part of bytes) {
      this.#timer.refresh()
      yield part
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#controller.abort()
  }
}

/** What an event says; its end, where it says that. Events of kinds that this version does not know are left out. */
function heard({ event, data }: StreamEvent, onEvent: (event: AttemptEvent) => void): z.infer<typeof EndAnswer> | undefined {
  if (event === 'end') {
    const end = EndAnswer.safeParse(jsonOf(data)).data
    if (end === undefined) throw malformed()
    return end
  }
  const known = AttemptEvent.safeParse(jsonOf(data)).data
  if (known !== undefined) onEvent(known)
  return undefined
}
