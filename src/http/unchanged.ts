import { etag, RETAINED_304_HEADERS } from 'hono/etag'

/** Names an answer by what is in it, and sends nothing to whoever has it already. */
export const unchanged = etag({
  retainedHeaders: [...RETAINED_304_HEADERS, 'access-control-allow-origin', 'access-control-expose-headers'],
})
