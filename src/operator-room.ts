import { randomBytes, randomUUIDv7 } from 'node:crypto'
import { Failure } from '../verifier/model/failure.ts'
import { operatorOn } from './app/service/operate.ts'
import type { Operator } from './app/service/operator.ts'
import { controlClient } from './control/control-client.ts'
import { openStore, type StoreSettings } from './store-access.ts'
import type { StoreRoom } from './store-room.ts'

export type OperatorRoom = Operator & AsyncDisposable

/**
 * What an operator's commands work on: the store, or, where a server has the embedded one open, that server. Fails as `openStore` does;
 * with `home-in-use` only where what has it open does not answer.
 */
export async function openOperator(settings: StoreSettings): Promise<OperatorRoom> {
  try {
    // What the queue meets while a command runs for a moment is the server's to report.
    const store = await openStore({ settings, superviseSeconds: null, onTrouble: () => {} })
    return { ...operatorOf(store), [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
  } catch (inUse) {
    if (!(inUse instanceof Failure && inUse.code === 'home-in-use')) throw inUse
    const server = controlClient(settings.home)
    // Asking it anything tells whether it is there.
    await server.workers(null).catch((error: unknown) => {
      throw error instanceof Failure && error.code === 'control-absent' ? inUse : error
    })
    return { ...server, [Symbol.asyncDispose]: () => Promise.resolve() }
  }
}

export function operatorOf({ unitOfWork, reads }: Pick<StoreRoom, 'unitOfWork' | 'reads'>): Operator {
  return operatorOn({ unitOfWork, reads, now: () => new Date(), newId: () => randomUUIDv7(), random: (bytes) => randomBytes(bytes) })
}
