import { AsyncLocalStorage } from 'node:async_hooks'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { Failure } from '../../verifier/model/failure.ts'
import { databaseFailure } from './failures.ts'

/** Drizzle on either driver, or one of its transactions. */
export type Drizzle = PgDatabase<PgQueryResultHKT>

/** Runs one query of a repository where that is allowed now. */
export type Session = <T>(query: (db: Drizzle) => Promise<T>) => Promise<T>

/** Knows whether the code that runs now is inside of a transaction, across whatever it awaits. */
export class TransactionGuard {
  readonly #open = new AsyncLocalStorage<true>()

  get inside(): boolean {
    return this.#open.getStore() === true
  }

  enter<T>(work: () => Promise<T>): Promise<T> {
    return this.#open.run(true, work)
  }
}

/** Queries of their own. Inside a transaction they would miss what it did, and on one connection wait for it for ever: they fail. */
export function plainSession(db: Drizzle, guard: TransactionGuard): Session {
  return async (query) => {
    if (guard.inside)
      throw new Failure({
        code: 'query-outside-transaction',
        message: 'a query went past the open transaction',
        hint: 'this is a defect: report it; use what the unit of work hands out',
        audience: 'operator',
      })
    return await translated(() => query(db))
  }
}

/** Queries of one transaction; `end` makes it refuse later ones. */
export function transactionSession(tx: Drizzle): { readonly session: Session; readonly end: () => void } {
  let ended = false
  return {
    session: async (query) => {
      if (ended)
        throw new Failure({
          code: 'transaction-ended',
          message: 'a query came after the end of its transaction',
          hint: 'this is a defect: report it; await everything inside the unit of work',
          audience: 'operator',
        })
      return await translated(() => query(tx))
    },
    end: () => {
      ended = true
    },
  }
}

export async function translated<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await query()
  } catch (error) {
    throw databaseFailure(error)
  }
}
