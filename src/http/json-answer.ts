import type { Context, TypedResponse } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { JSONParsed } from 'hono/utils/types'
import type { HttpEnv } from './http-ports.ts'

/** What a browser could take for markup, and what would show as something else, or nothing, where the document is printed. */
const HIDDEN = /[<>&\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu

/** JSON in which everything that strangers wrote is plain to see: the same document to every parser. */
export function shownJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(HIDDEN, (character) => {
    const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
  })
}

/** `c.json` with our own writing of it. */
export function answerJson<T extends object, S extends ContentfulStatusCode>(
  c: Context<HttpEnv>,
  value: T,
  status: S,
): Response & TypedResponse<JSONParsed<T>, S, 'json'> {
  const response = c.body(shownJson(value), status, { 'Content-Type': 'application/json' })
  return response as unknown as Response & TypedResponse<JSONParsed<T>, S, 'json'>
}
