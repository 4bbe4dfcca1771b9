import type { Context } from 'hono'
import { type BodyBounds, boundedBody } from './bounded-body.ts'
import type { HttpEnv } from './http-ports.ts'
import { contentTypeRefused } from './problems.ts'

/** Bytes that a request is about, as they are. Fails with `content-type-refused` where they are said to be something, and as `boundedBody` does. */
export async function octetBody(c: Context<HttpEnv>, bounds: BodyBounds): Promise<Buffer> {
  if (!/^application\/octet-stream$/i.test(c.req.header('content-type') ?? '')) throw contentTypeRefused()
  const chunks: Uint8Array[] = []
  for await (const chunk of boundedBody(c.req.raw.body, bounds)) chunks.push(chunk)
  return Buffer.concat(chunks)
}
