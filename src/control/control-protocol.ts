import { z } from 'zod'
import { RegisteredWorker, TokenRequest, TokenView, WorkerRequest } from '../app/service/operator-documents.ts'

/**
 * What a command and the server of the same home say to each other over a socket in it: `POST /v1/OPERATION` with one JSON document, one
 * JSON document back. Whoever may open the socket is the operator.
 */
const Cursor = z.strictObject({ cursor: z.string().max(256).nullable() })
const page = <T extends z.ZodType>(item: T) => z.strictObject({ items: z.array(item), next: z.string().nullable() })

export const OPERATIONS = {
  'token-create': { asked: TokenRequest, answer: z.strictObject({ secret: z.string(), token: TokenView }) },
  'token-list': { asked: Cursor, answer: page(TokenView) },
  'token-revoke': { asked: z.strictObject({ id: z.string().max(256) }), answer: TokenView },
  'worker-add': { asked: WorkerRequest, answer: RegisteredWorker },
  'worker-list': { asked: Cursor, answer: page(RegisteredWorker) },
  'worker-revoke': { asked: z.strictObject({ name: z.string().max(256) }), answer: RegisteredWorker },
} as const

export type Operation = keyof typeof OPERATIONS
export type Asked<O extends Operation> = z.output<(typeof OPERATIONS)[O]['asked']>
export type Answer<O extends Operation> = z.output<(typeof OPERATIONS)[O]['answer']>

/** What stopped it, in place of an answer. */
export const Trouble = z.strictObject({
  code: z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/),
  message: z.string(),
  hint: z.string(),
  retryable: z.boolean(),
})
export type Trouble = z.infer<typeof Trouble>

/** Name of the socket in the home. */
export const SOCKET_NAME = 'control.sock'
export const MAX_ASKED = 64 * 1024
/** A page of 200 workers with 64 builders each is 1 MiB. */
export const MAX_ANSWER = 8 * 1024 * 1024
