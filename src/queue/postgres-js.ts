import type { Db } from 'pg-boss'
import type { Sql } from 'postgres'
import { isUnreachable } from '../db/failures.ts'

/**
 * pg-boss over its own postgres.js clients, never the one given to drizzle, which replaces that client's parsers and serialisers. `scripts`
 * has one connection: migrations and maintenance are BEGIN … COMMIT scripts, which postgres.js takes there alone. It would reserve one of
 * many for them as well, and forget it where the server had ended it.
 */
export function fromPostgresJs({ client, scripts }: { readonly client: Sql; readonly scripts: Sql }): Db {
  let before: Promise<unknown> = Promise.resolve()
  return {
    async executeSql(text, values) {
      if (!/^\s*BEGIN\b/i.test(text)) return await run(client, text, values)
      const done = before.then(() => runScript(scripts, text, values))
      before = done.catch(() => {})
      return await done
    },
    async listen(channel, onNotification, onReconnect) {
      const listening = await client.listen(channel, onNotification, onReconnect)
      return { close: () => listening.unlisten() }
    },
  }
}

/** One after another: what a script leaves open is nobody else's. */
async function runScript(scripts: Sql, text: string, values?: unknown[]): Promise<{ rows: unknown[] }> {
  try {
    return await run(scripts, text, values)
  } catch (cause) {
    // With the connection its transaction is gone.
    if (!isUnreachable(cause)) await scripts.unsafe('ROLLBACK').catch(() => {})
    throw cause
  }
}

async function run(on: Pick<Sql, 'unsafe'>, text: string, values?: unknown[]): Promise<{ rows: unknown[] }> {
  const result = await (values === undefined || values.length === 0 ? on.unsafe(text) : on.unsafe(text, values as never[]))
  // One array a statement where there are several.
  return { rows: result.flat() }
}
