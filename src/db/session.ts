import { AsyncLocalStorage } from 'node:async_hooks'
import type { SQL } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { Failure } from '../../verifier/model/failure.ts'
import { databaseFailure, isUnreachable } from './failures.ts'

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

/** What runs one statement, for those who have statements of their own. Rejects with what the driver threw. */
export type Executor = { execute(query: SQL): PromiseLike<unknown> }

export type TransactionSession = {
  readonly session: Session
  readonly executor: Executor
  /** Refuses what comes later. */
  readonly end: () => void
  /** Whether a query met the end of the connection. */
  readonly lost: boolean
}

/**
 * Queries of one transaction. Nothing more is sent over a connection that is gone: postgres.js would write to a socket that is no more,
 * where nobody can catch what that throws (porsager/postgres#1208).
 */
export function transactionSession(tx: Drizzle): TransactionSession {
  let ended = false
  let lost: { readonly error: unknown } | undefined
  const run = async <T>(query: () => PromiseLike<T>): Promise<T> => {
    if (ended)
      throw new Failure({
        code: 'transaction-ended',
        message: 'a query came after the end of its transaction',
        hint: 'this is a defect: report it; await everything inside the unit of work',
        audience: 'operator',
      })
    if (lost !== undefined) throw lost.error
    try {
      return await query()
    } catch (error) {
      if (isUnreachable(error)) lost = { error }
      throw error
    }
  }
  return {
    session: (query) => translated(() => run(() => query(tx))),
    executor: { execute: (query) => run(() => tx.execute(query)) },
    end: () => {
      ended = true
    },
    get lost() {
      return lost !== undefined
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
