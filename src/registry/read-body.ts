import { exchangeFailed } from './exchange-failed.ts'
import { registryFailure } from './failures.ts'
import type { Answer } from './http-client.ts'

/** A whole body in memory. Rejects with `registry-answer-too-large` once it is larger, and as the connection does. */
export async function readBody({ body }: Pick<Answer, 'body'>, limit: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      size += part.length
      if (size > limit) throw registryFailure('registry-answer-too-large', { limit })
      parts.push(part)
    }
  } catch (error) {
    throw exchangeFailed(error)
  } finally {
    body.destroy()
  }
  return Buffer.concat(parts)
}

/** Below this a body that nobody wants is read to its end, so that its connection can be used again. */
const SMALL = 64 * 1024

/** So long it may take to come to its end; ms. */
const SOON = 5000

/** Lets go of a body that is not wanted. */
export async function drop({ body }: Pick<Answer, 'body'>, soon = SOON): Promise<void> {
  let size = 0
  const late = setTimeout(() => body.destroy(), soon)
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      size += part.length
      if (size > SMALL) break
    }
  } catch {
    // It was not wanted; the next request meets what is wrong with the connection.
  } finally {
    clearTimeout(late)
    body.destroy()
  }
}

/** JSON text in UTF-8, or undefined. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown
  } catch {
    return undefined
  }
}
