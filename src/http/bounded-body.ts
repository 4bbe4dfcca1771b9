import { Failure } from '../../verifier/model/failure.ts'

export type BodyBounds = {
  readonly maxBytes: number
  /** Altogether, ms. */
  readonly maxMs: number
  /** Less than this, after `patienceMs`, is too slow. */
  readonly bytesPerSecond: number
  readonly patienceMs: number
  /** What to fail with where it is too large. */
  readonly tooLarge: () => Failure
}

/**
 * The bytes of a body as they come, no more and no slower than it may. Fails with what `tooLarge` gives, `body-too-slow`, or
 * `request-aborted` where the sender went away.
 */
export async function* boundedBody(body: ReadableStream<Uint8Array> | null, bounds: BodyBounds): AsyncGenerator<Uint8Array> {
  if (body === null) return
  const reader = body.getReader()
  const began = performance.now()
  let size = 0
  try {
    for (;;) {
      // When the bytes so far will no longer be enough, at the rate that is asked for, or the time is over.
      const until = Math.min(bounds.maxMs, bounds.patienceMs + (size / bounds.bytesPerSecond) * 1000)
      const { done, value } = await withinTime(reader, began + until - performance.now())
      if (done) return
      size += value.length
      if (size > bounds.maxBytes) throw bounds.tooLarge()
      yield value
    }
  } finally {
    // Where it was not read to its end nobody wants the rest.
    await reader.cancel().catch(() => {})
  }
}

async function withinTime(reader: ReadableStreamDefaultReader<Uint8Array>, ms: number): Promise<Awaited<ReturnType<typeof reader.read>>> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSlow()), Math.max(0, ms))
  })
  try {
    return await Promise.race([reader.read().catch(() => Promise.reject(aborted())), late])
  } finally {
    clearTimeout(timer)
  }
}

function tooSlow(): Failure {
  return new Failure({
    code: 'body-too-slow',
    message: 'the body of the request comes too slowly',
    hint: 'send it again over a better connection, or in smaller parts',
  })
}

function aborted(): Failure {
  return new Failure({ code: 'request-aborted', message: 'the request ended before its body did', hint: 'send it again' })
}
