import type { MiddlewareHandler } from 'hono'
import { Failure } from '../../verifier/model/failure.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import { type BodyBounds, boundedBody } from './bounded-body.ts'
import type { HttpEnv, HttpLimits } from './http-ports.ts'
import { contentTypeRefused } from './problems.ts'

/** None of our documents is deeper. */
const MAX_DEPTH = 16

/** Reads a JSON body once, strictly, and leaves the validators behind it a document that every parser reads alike. */
export function strictJsonBody(limits: HttpLimits): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    if (!isJson(c.req.header('content-type'))) throw contentTypeRefused()
    const declared = Number(c.req.header('content-length') ?? 0)
    if (declared > limits.jsonBytes) throw bodyTooLarge()
    const bytes = await readBody(c.req.raw.body, { ...limits, maxBytes: limits.jsonBytes, maxMs: limits.jsonMs, tooLarge: bodyTooLarge })
    requireText(parseStrictJson(bytes, { maxBytes: limits.jsonBytes, maxDepth: MAX_DEPTH }))
    // The server's own kind of request is none that another can be made from.
    const { url, method, headers, signal } = c.req.raw
    c.req.raw = new Request(url, { method, headers, signal, body: bytes })
    await next()
  }
}

/** For requests that say all by their path: no body, or an empty object, which is what some clients send. */
export function emptyBody(limits: HttpLimits): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const sent = await readBody(c.req.raw.body, { ...limits, maxBytes: MOST_OF_NOTHING, maxMs: limits.jsonMs, tooLarge: bodyUnexpected })
    if (sent.length > 0 && !/^\s*\{\s*\}\s*$/.test(sent.toString('latin1'))) throw bodyUnexpected()
    await next()
  }
}

/** Bytes. */
const MOST_OF_NOTHING = 64

async function readBody(body: ReadableStream<Uint8Array> | null, bounds: BodyBounds): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of boundedBody(body, bounds)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function bodyUnexpected(): Failure {
  return new Failure({ code: 'body-unexpected', message: 'this request takes no body', hint: 'send it without one' })
}

function isJson(type: string | undefined): boolean {
  return /^application\/json(?:\s*;\s*charset=(?:utf-8|"utf-8"))?$/i.test(type ?? '')
}

/** A database keeps no NUL and no half of a character, and a terminal obeys what else is no text. */
function requireText(value: unknown): void {
  if (typeof value === 'string') {
    if (isText(value)) return
    throw new Failure({
      code: 'text-malformed',
      message: 'a text holds control characters, or half of a character',
      hint: 'leave them out',
    })
  }
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    requireText(key)
    requireText(inner)
  }
}

export function isText(value: string): boolean {
  return value.isWellFormed() && !/\p{Cc}/u.test(value)
}

export function bodyTooLarge(): Failure {
  return new Failure({
    code: 'body-too-large',
    message: 'the body is larger than a request may be',
    hint: 'upload what is large, and name its digest',
  })
}
