import { sql } from 'drizzle-orm'
import type { Channel, NoticeBoard } from '../app/store/notice-ports.ts'
import type { QueueConnection } from './database.ts'
import { type Executor, translated } from './session.ts'

const nameOf = (channel: Channel): string => `bitwitness_${channel}`

/** Tells whoever listens, in any process, when the transaction commits (NOTIFY). The same said twice in one transaction is heard once. */
export async function sendNotice(db: Executor, channel: Channel, about: string): Promise<void> {
  await db.execute(sql`select pg_notify(${nameOf(channel)}, ${about})`)
}

/** LISTEN on a connection of its own, which is opened again when it breaks. */
export function noticeBoard(connection: QueueConnection): NoticeBoard {
  return {
    listen: async (channel, { onNotice, onGap }) => {
      if (connection.kind === 'pglite') {
        const stop = await translated(() => connection.pglite.listen(nameOf(channel), onNotice))
        return { [Symbol.asyncDispose]: () => translated(() => stop()) }
      }
      let [first, ended] = [true, false]
      const heard = (about: string): void => {
        if (!ended) onNotice(about)
      }
      const onListen = (): void => {
        if (!first && !ended) onGap()
        first = false
      }
      const listening = await translated(() => connection.client.listen(nameOf(channel), heard, onListen)).catch((error: unknown) => {
        // The client listens by itself once it can, for somebody who knows nothing of it.
        ended = true
        throw error
      })
      return {
        [Symbol.asyncDispose]: async () => {
          // Once the connection was opened again, the client no longer knows this listener by what it gave out.
          ended = true
          await translated(() => listening.unlisten())
        },
      }
    },
  }
}
