import { sql } from 'drizzle-orm'
import type { StoreRoom } from '../src/store-room.ts'

/** Lets the time pass that jobs wait before they are tried again. */
export async function hurry({ database }: Pick<StoreRoom, 'database'>): Promise<void> {
  await database.drizzle.execute(sql`update queue.job set start_after = now() - interval '1 second' where state = 'retry'`)
}

/** Lets the time pass after which a worker that sends no heartbeat, or takes too long, counts as lost, and the queue look for such. */
export async function loseWorkers({ database, queue }: Pick<StoreRoom, 'database' | 'queue'>): Promise<void> {
  await database.drizzle.execute(
    sql`update queue.job set heartbeat_on = now() - interval '1 day', started_on = now() - interval '2 days' where state = 'active'`,
  )
  await database.drizzle.execute(sql`update queue.queue set monitor_on = null, monitor_claim_on = null`)
  await queue.supervise()
}
