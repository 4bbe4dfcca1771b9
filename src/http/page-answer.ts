import type { Context, TypedResponse } from 'hono'
import type { JSONParsed } from 'hono/utils/types'
import type { Page } from '../app/store/page.ts'
import type { HttpEnv } from './http-ports.ts'
import { answerJson } from './json-answer.ts'

/** A page of a list, with a link to the next one by the same filters (RFC 8288). */
export function answerPage<R, V>(
  c: Context<HttpEnv>,
  { items, next }: Page<R>,
  view: (item: R) => V,
): Response & TypedResponse<JSONParsed<{ items: V[]; next: string | null }>, 200, 'json'> {
  if (next !== null) {
    const { pathname, searchParams } = new URL(c.req.url)
    searchParams.set('cursor', next)
    c.header('Link', `<${pathname}?${searchParams.toString()}>; rel="next"`)
  }
  return answerJson(c, { items: items.map(view), next }, 200)
}
