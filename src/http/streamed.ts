import type { Context } from 'hono'
import type { HttpEnv, HttpPorts } from './http-ports.ts'

/**
 * A body that is made as it is read, and no sooner. Whoever does not read on for `stallMs` is cut off, so that nothing is kept for them; so
 * is everybody if the content fails, since an answer that just ends would look whole. `abort` fires when nobody reads any more.
 */
export function streamed(
  c: Context<HttpEnv>,
  ports: Pick<HttpPorts, 'limits' | 'onTrouble'>,
  { content, abort }: { readonly content: AsyncIterable<Uint8Array>; readonly abort?: AbortController },
): ReadableStream<Uint8Array> {
  const requestId = c.get('requestId')
  let iterator: AsyncIterator<Uint8Array> | undefined
  let stalled: NodeJS.Timeout | undefined
  let over = false
  const end = (): void => {
    over = true
    clearTimeout(stalled)
    abort?.abort()
    // A generator that waits for what `abort` ends answers only then.
    iterator?.return?.()?.catch(() => {})
  }
  const cut = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    end()
    const outgoing = (c.env as HttpEnv['Bindings'] | undefined)?.outgoing
    if (outgoing === undefined) controller.error(new Error('cut off'))
    else outgoing.destroy()
  }
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        clearTimeout(stalled)
        iterator ??= content[Symbol.asyncIterator]()
        try {
          const { done, value } = await iterator.next()
          if (over) return
          if (done === true) {
            end()
            controller.close()
            return
          }
          stalled = setTimeout(() => cut(controller), ports.limits.stallMs)
          controller.enqueue(value)
        } catch (error) {
          if (over) return
          ports.onTrouble({ requestId, error })
          cut(controller)
        }
      },
      cancel: end,
    },
    // Nothing is fetched before it is asked for: HEAD asks for nothing.
    { highWaterMark: 0 },
  )
}
