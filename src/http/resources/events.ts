import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { eventUnknown } from '../../app/service/followers.ts'
import { readAttempt } from '../../app/service/read-attempts.ts'
import { readVerification } from '../../app/service/read-verifications.ts'
import { byId, bytesOf, problems } from '../api-route.ts'
import { END_ID, eventStream } from '../event-stream.ts'
import type { HttpApp, HttpEnv, HttpPorts } from '../http-ports.ts'
import { streamed } from '../streamed.ts'

/** The number of an event. */
export const Seq = z.string().regex(/^(?:0|[1-9]\d{0,8})$/)

const request = {
  params: byId,
  query: z.strictObject({
    after: Seq.optional().openapi({ type: 'integer', description: 'Number of the last event that is known already.' }),
  }),
  headers: z.object({
    'last-event-id': z
      .union([Seq, z.literal(END_ID)])
      .optional()
      .openapi({ type: 'string', description: 'What a client that was cut off heard last; it counts more than `after`.' }),
  }),
}

const description =
  'Server-sent events: `id` is the number of the event, `event` its kind, `data` the document (schemas/event-v1.json). The last one is `end`, ' +
  'with how the verification ended; a client that comes back with its id is answered 204, and stops. A comment comes where nothing else does.'

const responses = {
  200: bytesOf('text/event-stream', 'What happened, and what happens.'),
  204: { description: 'The client has heard everything.' },
}

const ofVerification = createRoute({
  method: 'get',
  path: '/v1/verifications/{id}/events',
  operationId: 'followVerification',
  tags: ['verifications'],
  summary: 'What happens in a verification, as it happens',
  description,
  request,
  responses: { ...responses, ...problems('event-unknown', 'followers-limit', 'verification-unknown') },
})

const ofAttempt = createRoute({
  method: 'get',
  path: '/v1/attempts/{id}/events',
  operationId: 'followAttempt',
  tags: ['attempts'],
  summary: 'What happens in an attempt, as it happens',
  description: `${description} Events of one attempt have gaps between their numbers.`,
  request,
  responses: { ...responses, ...problems('attempt-unknown', 'event-unknown', 'followers-limit') },
})

/** Live logs. */
export function events(app: HttpApp, ports: HttpPorts): void {
  const follow = async (c: Context<HttpEnv>, o: { verificationId: string; attempt: number | null; last: string }): Promise<Response> => {
    c.header('Cache-Control', 'no-store')
    if (o.last === END_ID) {
      const { state } = (await readVerification(ports, o.verificationId)).verification
      if (state !== 'finished' && state !== 'cancelled') throw eventUnknown()
      return c.body(null, 204)
    }
    const abort = new AbortController()
    const from = { after: Number(o.last), attempt: o.attempt, signal: abort.signal }
    const content = eventStream(await ports.followers.follow(o.verificationId, from))
    // A proxy that gathers what it passes on would make it late.
    c.header('X-Accel-Buffering', 'no')
    return c.body(streamed(c, ports, { content, abort }), 200, { 'Content-Type': 'text/event-stream; charset=utf-8' })
  }
  app.openapi(ofVerification, async (c) => {
    const last = c.req.valid('header')['last-event-id'] ?? c.req.valid('query').after ?? '0'
    return await follow(c, { verificationId: c.req.valid('param').id, attempt: null, last })
  })
  app.openapi(ofAttempt, async (c) => {
    const last = c.req.valid('header')['last-event-id'] ?? c.req.valid('query').after ?? '0'
    const { verificationId, number } = (await readAttempt(ports, c.req.valid('param').id)).attempt
    return await follow(c, { verificationId, attempt: number, last })
  })
}
