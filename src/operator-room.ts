import { randomBytes, randomUUIDv7 } from 'node:crypto'
import { Failure } from '../verifier/model/failure.ts'
import { operatorOn } from './app/service/operate.ts'
import type { Operator } from './app/service/operator.ts'
import { openHome } from './config/home.ts'
import { controlClient } from './control/control-client.ts'
import { openStore, type StoreSettings } from './store-access.ts'
import type { StoreRoom } from './store-room.ts'

export type OperatorRoom = Operator & AsyncDisposable

/**
 * What an operator's commands work on: the store that the settings name, or, where they name none, the server of this home, which may keep
 * things elsewhere than in the home. Fails as `openStore` does; with `home-in-use` only where what has it open does not answer.
 */
export async function openOperator(settings: StoreSettings): Promise<OperatorRoom> {
  // Nobody else may have put a socket there.
  await openHome(settings.home)
  const named = settings.databaseUrl !== null || settings.databaseUrlFile !== null
  const server = named ? undefined : await serverOf(settings.home)
  if (server !== undefined) return server
  try {
    // What the queue meets while a command runs for a moment is the server's to report.
    const store = await openStore({ settings, superviseSeconds: null, onTrouble: () => {} })
    return { ...operatorOf(store), [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
  } catch (inUse) {
    if (!(inUse instanceof Failure && inUse.code === 'home-in-use')) throw inUse
    // One that has just started.
    const started = await serverOf(settings.home)
    if (started === undefined) throw inUse
    return started
  }
}

/** The server of a home; undefined where none answers. */
async function serverOf(home: string): Promise<OperatorRoom | undefined> {
  const server = controlClient(home)
  try {
    // Asking it anything tells whether it is there.
    await server.workers(null)
  } catch (error) {
    if (error instanceof Failure && error.code === 'control-absent') return undefined
    throw error
  }
  return { ...server, [Symbol.asyncDispose]: () => Promise.resolve() }
}

export function operatorOf({ unitOfWork, reads }: Pick<StoreRoom, 'unitOfWork' | 'reads'>): Operator {
  return operatorOn({ unitOfWork, reads, now: () => new Date(), newId: () => randomUUIDv7(), random: (bytes) => randomBytes(bytes) })
}
