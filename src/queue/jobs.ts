import { sql } from 'drizzle-orm'
import type { PgBoss } from 'pg-boss'
import type { AttemptQueue, JobKind, JobKinds, Jobs, TakenJob } from '../app/store/store-ports.ts'
import { sendNotice } from '../db/notices.ts'
import { type Executor, translated } from '../db/session.ts'
import { inTransaction } from './transaction.ts'

/** The queue, inside a transaction. Each attempt carries how long its lease is: whoever opens the queue next may have another one set. */
export function jobsOn(boss: PgBoss, tx: Executor, leaseSeconds: number): Jobs {
  const db = inTransaction(tx)
  const lease = (data: JobKinds[JobKind]) => ('attemptId' in data ? { heartbeatSeconds: leaseSeconds } : {})
  const take = async <K extends JobKind>(queue: string, except: readonly string[] = []): Promise<TakenJob<K> | undefined> => {
    const passed = except.length === 0 ? {} : { ignoreGroups: [...except] }
    const [job] = await translated(() => boss.fetch<JobKinds[K]>(queue, { batchSize: 1, includeMetadata: true, ...passed, db }))
    return job === undefined ? undefined : { id: job.id, tries: job.retryCount + 1, data: job.data }
  }
  const complete = async (queue: string, id: string): Promise<void> => {
    // Also where it went back into the queue meanwhile: what is done is done.
    await translated(() => boss.complete(queue, id, null, { db, includeQueued: true }))
  }
  return {
    enqueue: async (kind, data, { after, priority, group } = {}) => {
      const when = {
        ...(after === undefined ? {} : { startAfter: after }),
        ...(priority === undefined ? {} : { priority }),
        ...(group === undefined ? {} : { group: { id: group } }),
      }
      const sent = (await translated(() => boss.send(kind, data, { ...singular(data), ...lease(data), ...when, db }))) !== null
      if (sent && after === undefined) await translated(() => sendNotice(tx, 'jobs', kind))
      return sent
    },
    take: (kind, { except } = {}) => take(kind, except),
    touch: async (kind, { id, tries }) => {
      const response: object = await translated(() => boss.touch(kind, { id, retryCount: tries - 1 }, { db }))
      // pg-boss gives the number and does not declare it.
      return 'affected' in response && response.affected === 1
    },
    complete,
    retry: async (kind, { id, tries }, { atOnce = false } = {}) => {
      await translated(() => boss.fail(kind, { id, retryCount: tries - 1 }, null, { db }))
      if (!atOnce) return
      // pg-boss has no word for it.
      await translated(async () =>
        tx.execute(sql`update queue.job set start_after = now() where name = ${kind} and id = ${id} and state = 'retry'`),
      )
      await translated(() => sendNotice(tx, 'jobs', kind))
    },
    cancel: async (kind, id) => {
      await translated(() => boss.cancel(kind, id, { db }))
    },
    takeDead: () => take<AttemptQueue>('attempt-dead'),
    completeDead: (id) => complete('attempt-dead', id),
  }
}

/** An attempt is one job for as long as it is known, everything else for as long as it is not done. */
function singular(data: JobKinds[JobKind]): { id: string } | { singletonKey: string } {
  if ('attemptId' in data) return { id: data.attemptId }
  if ('policySha256' in data) return { singletonKey: `${data.policySha256} ${data.appId} ${data.composeHash}` }
  if ('deploymentId' in data) return { singletonKey: data.deploymentId }
  return { singletonKey: 'predicateType' in data ? `${data.verificationId} ${data.predicateType}` : data.verificationId }
}
