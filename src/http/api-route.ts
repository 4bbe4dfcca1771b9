import { z } from '@hono/zod-openapi'
import { Problem, pageOf } from '../app/service/api-documents.ts'
import { MAX_PAGE, type PageRequest } from '../app/store/page.ts'
import { type ProblemCode, type ProblemStatus, statusOf } from './problems.ts'

/** What any request that needs the store may be answered with. */
const ALWAYS = ['request-malformed', 'internal', 'unavailable'] as const satisfies readonly ProblemCode[]

/** Requests that somebody stands behind. */
export const CALLER_CODES = [
  'credentials-missing',
  'issuer-unreachable',
  'rate-limited',
  'token-invalid',
] as const satisfies readonly ProblemCode[]
/** Lists. */
export const PAGE_CODES = ['cursor-malformed', 'page-limit'] as const satisfies readonly ProblemCode[]
/** Requests with a JSON document. */
export const JSON_CODES = [
  'body-too-large',
  'body-too-slow',
  'content-type-refused',
  'json-duplicate-key',
  'json-malformed',
  'json-not-utf8',
  'json-number-inexact',
  'json-too-deep',
  'request-aborted',
  'text-malformed',
] as const satisfies readonly ProblemCode[]

export function problems(...codes: readonly ProblemCode[]): Record<never, never> {
  return statedProblems(...ALWAYS, ...codes)
}

/**
 * What a route answers where it does not give what was asked for, by status. The type is empty on purpose: handlers throw these, they never
 * return them.
 */
export function statedProblems(...codes: readonly ProblemCode[]): Record<never, never> {
  const byStatus = new Map<ProblemStatus, ProblemCode[]>()
  for (const code of new Set(codes)) {
    const status = statusOf(code) ?? 500
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, some]) => [
      status,
      {
        description: some.toSorted().join(', '),
        content: {
          'application/problem+json': {
            schema: z.strictObject({
              ...Problem.shape,
              status: z.literal(status),
              code: z.enum(some),
            }),
          },
        },
      },
    ]),
  )
}

/** A page of a list. */
export const pageJson = <T extends z.ZodType>(item: T) => jsonOf(pageOf(item), 'A page, newest first; Link names the next one.')

export const jsonOf = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})

/** Of what is not JSON. The type says nothing of the content, which is streamed. */
export const bytesOf = (type: string, description: string) => ({
  description,
  content: { [type]: { schema: { type: 'string' as const, ...(type.startsWith('text/') ? {} : { format: 'binary' }) } } },
})

export const noQuery = z.strictObject({})

export const byId = z.strictObject({ id: z.uuid().openapi({ example: '0198c3a0-5c1e-7d3a-9f00-5b8f2f6d1c11' }) })

/** Query of a list. */
export const paging = {
  cursor: z.string().max(256).optional().openapi({ description: '`next` of the page before, as it is.' }),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,3}$/)
    .transform(Number)
    .default(50)
    .openapi({ type: 'integer', minimum: 1, maximum: MAX_PAGE, default: 50, description: 'Size of the page.' }),
}

export function pageRequest({ cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number }): PageRequest {
  return { cursor: cursor ?? null, limit }
}

/** Headers of requests that may be sent again. */
export const IdempotencyKey = z.object({
  'idempotency-key': z.string().optional().openapi({
    description: '1 to 255 visible ASCII characters. The same request with the same key is answered like the first.',
    example: 'release-1.4.2',
  }),
})
