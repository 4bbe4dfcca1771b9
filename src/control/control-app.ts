import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { Failure } from '../../verifier/model/failure.ts'
import type { Operator } from '../app/service/operator.ts'
import { type Answer, type Asked, MAX_ASKED, OPERATIONS, type Operation, type Trouble } from './control-protocol.ts'

type Handlers = { readonly [O in Operation]: (asked: Asked<O>) => Promise<Answer<O>> }

/** The operator's commands as a command asks a server for them. */
export function controlApp(operator: Operator): Hono {
  const handlers: Handlers = {
    'token-create': (asked) => operator.createToken(asked),
    'token-list': async ({ cursor }) => copied(await operator.tokens(cursor)),
    'token-revoke': ({ id }) => operator.revokeToken(id),
    'worker-add': (asked) => operator.addWorker(asked),
    'worker-list': async ({ cursor }) => copied(await operator.workers(cursor)),
    'worker-revoke': ({ name }) => operator.revokeWorker(name),
  }
  const app = new Hono()
  app.use(bodyLimit({ maxSize: MAX_ASKED, onError: (c) => c.json(troubleOf(mismatch()), 400) }))
  for (const operation of Object.keys(OPERATIONS) as Operation[])
    app.post(`/v1/${operation}`, async (c) => c.json(await answer(operation, handlers, await c.req.json<unknown>().catch(() => undefined))))
  app.notFound((c) => c.json(troubleOf(mismatch()), 400))
  app.onError((error, c) => c.json(troubleOf(error), error instanceof Failure ? 400 : 500))
  return app
}

async function answer<O extends Operation>(operation: O, handlers: Handlers, body: unknown): Promise<Answer<O>> {
  const asked = OPERATIONS[operation].asked.safeParse(body)
  if (!asked.success) throw mismatch()
  return await handlers[operation](asked.data as Asked<O>)
}

function copied<T>({ items, next }: { readonly items: readonly T[]; readonly next: string | null }): { items: T[]; next: string | null } {
  return { items: [...items], next }
}

/** The operator asks: a failure that is theirs to see is said as it is. */
function troubleOf(error: unknown): Trouble {
  if (error instanceof Failure) return { code: error.code, message: error.message, hint: error.hint, retryable: error.retryable }
  return { code: 'internal', message: 'something went wrong inside the server', hint: 'its log says more', retryable: false }
}

/** The two are of one package, or nothing is asked. */
export function mismatch(): Failure {
  return new Failure({
    code: 'control-mismatch',
    message: 'the server of this home and this command do not understand each other',
    hint: 'run both from the same version of bitwitness: restart the server after an upgrade',
  })
}
