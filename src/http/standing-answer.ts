import type { Context } from 'hono'
import { hasTag } from './entity-tag.ts'
import type { HttpEnv } from './http-ports.ts'

type Written = { readonly bytes: Uint8Array<ArrayBuffer>; readonly tag: string }

/**
 * An answer that is the same for as long as the process lives: written when somebody first asks, since a server that starts has other
 * things to do, and kept as bytes with their name, so that whoever asks again and again costs nothing. Where writing it fails, the next one
 * who asks has it written anew.
 */
export function standingAnswer(
  headers: Readonly<Record<string, string>>,
  write: () => Promise<string> | string,
): (c: Context<HttpEnv>) => Promise<Response> {
  let written: Promise<Written> | undefined
  const keep = async (): Promise<Written> => {
    try {
      const bytes = new TextEncoder().encode(await write())
      const digest = await crypto.subtle.digest('SHA-256', bytes)
      return { bytes, tag: `"${Buffer.from(digest).toString('base64url')}"` }
    } catch (error) {
      written = undefined
      throw error
    }
  }
  return async (c) => {
    written ??= keep()
    const { bytes, tag } = await written
    c.header('ETag', tag)
    if (hasTag(c.req.header('if-none-match'), tag)) return c.body(null, 304)
    return c.body(bytes, 200, headers)
  }
}
