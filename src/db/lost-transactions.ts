import type { Sql, TransactionSql } from 'postgres'
import { isUnreachable } from './failures.ts'

/**
 * Has a transaction that loses its connection end with that. postgres.js would send its ROLLBACK to a socket that is no more, where nobody
 * can catch what that throws (porsager/postgres#1208). For a client of whose transactions each asks nothing but its own connection: where
 * another one was lost, it would never end.
 */
export function endingLost(client: Sql): Sql {
  const begin = client.begin.bind(client) as (work: (tx: TransactionSql) => Promise<unknown>) => Promise<unknown>
  const survived = async (work: () => Promise<unknown>): Promise<unknown> => {
    try {
      return await work()
    } catch (error) {
      if (isUnreachable(error)) await forEver()
      throw error
    }
  }
  return Object.assign(client, {
    begin: async (work: (tx: TransactionSql) => Promise<unknown>) => await begin((tx) => survived(() => work(tx))),
  })
}

/**
 * For a transaction whose connection is gone. The driver has said so by then, or does at once, and whoever began it knows: what is left of
 * it must not get to its COMMIT or ROLLBACK, which would be sent nowhere and end the process.
 */
export async function forEver(): Promise<never> {
  return await new Promise<never>(() => {})
}
