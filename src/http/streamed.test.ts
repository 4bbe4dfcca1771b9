import { Hono } from 'hono'
import { beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS, type HttpEnv } from './http-ports.ts'
import { streamed } from './streamed.ts'

let destroyed = 0
let troubles: unknown[]
let ended: number
beforeEach(() => {
  destroyed = 0
  troubles = []
  ended = 0
})

/** The body of an answer that is made of `content`, on a connection that knows whether it was cut off. */
async function bodyOf(content: AsyncIterable<Uint8Array>, o: { stallMs?: number; abort?: AbortController } = {}) {
  const app = new Hono<HttpEnv>()
  const ports = {
    limits: { ...DEFAULT_LIMITS, stallMs: o.stallMs ?? 60_000 },
    onTrouble: ({ error }: { error: unknown }) => troubles.push(error),
  }
  app.get('/', (c) => c.body(streamed(c, ports, { content, ...(o.abort === undefined ? {} : { abort: o.abort }) })))
  const { body } = await app.request('/', {}, { outgoing: { destroy: () => (destroyed += 1) } })
  if (body === null) throw new Error('no body')
  return body.getReader()
}

async function* parts(...texts: (string | Error)[]) {
  try {
    for (const text of texts) {
      if (text instanceof Error) throw text
      yield new TextEncoder().encode(text)
    }
  } finally {
    ended += 1
  }
}

describe('a streamed answer', () => {
  it('ends where its content does', async () => {
    const reader = await bodyOf(parts('a', 'b'))
    expect(await Array.fromAsync([reader.read(), reader.read(), reader.read()], async ({ done }) => done)).toEqual([false, false, true])
    expect([destroyed, ended, troubles]).toEqual([0, 1, []])
  })

  it('that fails is cut off instead of ended, and its operator hears why', async () => {
    const trouble = new Error('the disk')
    const reader = await bodyOf(parts('a', trouble))
    await reader.read()
    let over = false
    void reader.read().then(() => (over = true))
    while (destroyed === 0) await new Promise((resolve) => setImmediate(resolve))
    expect([over, troubles, ended]).toEqual([false, [trouble], 1])
  })

  it('is begun by nobody who does not read', async () => {
    let begun = false
    const reader = await bodyOf(
      (async function* () {
        begun = true
        yield new Uint8Array(1)
      })(),
    )
    await new Promise((resolve) => setImmediate(resolve))
    expect(begun).toBe(false)
    await reader.cancel()
    expect(begun).toBe(false)
  })

  it('lets go of its content when nobody reads on, or the reader goes, and says nothing of it', async () => {
    const abort = new AbortController()
    const idle = await bodyOf(parts('a', 'b', 'c'), { stallMs: 5, abort })
    await idle.read()
    while (destroyed === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(abort.signal.aborted).toBe(true)
    const gone = await bodyOf(parts('a', 'b', 'c'))
    await gone.read()
    await gone.cancel()
    while (ended < 2) await new Promise((resolve) => setImmediate(resolve))
    expect([destroyed, troubles]).toEqual([1, []])
  })
})
