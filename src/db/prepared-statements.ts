import type { Sql, TransactionSql } from 'postgres'

/** Statements with more parameters are those of long lists, whose text is another one for each length. */
const MOST_PARAMETERS = 32

/**
 * Has the server keep the statements that drizzle sends, for as long as a connection lasts: parsed once, and sent in one round trip where it
 * would take two. They are planned anew each time (`plan_cache_mode`), since a plan for any value knows no partial index.
 */
export function keepingStatements(client: Sql): Sql {
  const begin = client.begin.bind(client) as (work: (tx: TransactionSql) => Promise<unknown>) => Promise<unknown>
  kept(client)
  return Object.assign(client, { begin: async (work: (tx: TransactionSql) => Promise<unknown>) => await begin((tx) => work(kept(tx))) })
}

function kept<C extends Sql | TransactionSql>(client: C): C {
  const unsafe = client.unsafe.bind(client) as Sql['unsafe']
  const keeping: Sql['unsafe'] = (text, parameters = [], options = {}) =>
    unsafe(text, parameters, { ...options, prepare: parameters.length <= MOST_PARAMETERS })
  return Object.assign(client, { unsafe: keeping })
}
