import type { Db } from 'pg-boss'
import type { Sql } from 'postgres'

/** pg-boss over its own postgres.js client, never the one given to drizzle, which replaces that client's parsers and serialisers. */
export function fromPostgresJs(client: Sql): Db {
  return {
    async executeSql(text, values) {
      if (!/^\s*BEGIN\b/i.test(text)) return await run(client, text, values)
      // Migrations and maintenance are BEGIN … COMMIT scripts, which postgres.js refuses on a pooled connection.
      const reserved = await client.reserve()
      try {
        return await run(reserved, text, values)
      } catch (cause) {
        await reserved.unsafe('ROLLBACK').catch(() => {})
        throw cause
      } finally {
        reserved.release()
      }
    },
    async listen(channel, onNotification, onReconnect) {
      const listening = await client.listen(channel, onNotification, onReconnect)
      return { close: () => listening.unlisten() }
    },
  }
}

async function run(on: Pick<Sql, 'unsafe'>, text: string, values?: unknown[]): Promise<{ rows: unknown[] }> {
  const result = await (values === undefined || values.length === 0 ? on.unsafe(text) : on.unsafe(text, values as never[]))
  // One array a statement where there are several.
  return { rows: result.flat() }
}
