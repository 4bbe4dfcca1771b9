import { sql } from 'drizzle-orm'
import type { ServicePorts } from '../src/app/service/accept-verification.ts'
import { decide, type StoredDecision } from '../src/app/service/end-verification.ts'
import { markPrepared } from '../src/app/service/prepare-verification.ts'
import type { JobKind, JobKinds } from '../src/app/store/store-ports.ts'
import type { StoreRoom } from '../src/store-room.ts'
import { Failure } from '../verifier/model/failure.ts'
import { decisionOf, preparedOf } from './stored.ts'

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

/** Takes back what is being worked on, as the queue does where nothing was heard of it; in one statement, between two of its touches. */
export async function takeBack({ database }: Pick<StoreRoom, 'database'>): Promise<void> {
  await database.drizzle.execute(sql`update queue.job set state = 'retry', start_after = now() where state = 'active'`)
}

/** Takes and completes what a queue has to give, in the order in which it gives it. */
export async function takeAll<K extends JobKind>({ unitOfWork }: Pick<StoreRoom, 'unitOfWork'>, kind: K): Promise<JobKinds[K][]> {
  return await unitOfWork.run(async ({ jobs }) => {
    const taken: JobKinds[K][] = []
    for (;;) {
      const job = await jobs.take(kind)
      if (job === undefined) return taken
      taken.push(job.data)
      await jobs.complete(kind, job.id)
    }
  })
}

/** What a coordinator does with the next verification that is to be prepared; false where there is none. */
export async function prepareNext(ports: ServicePorts, { refuse }: { refuse: boolean }): Promise<boolean> {
  return await workOn(ports, 'preparation', async (id) => {
    if (refuse) return await decide(ports, id, decisionOf({ verdict: 'refused', tier: null, builder: null, artifacts: [] }))
    const held = await ports.unitOfWork.run(({ verifications }) => verifications.hold(id))
    if (held !== undefined) await markPrepared(ports, id, preparedOf(held.submission))
  })
}

/** The same for a verdict. */
export async function decideNext(ports: ServicePorts, decision: StoredDecision): Promise<boolean> {
  return await workOn(ports, 'decision', (id) => decide(ports, id, decision))
}

async function workOn(ports: ServicePorts, kind: 'preparation' | 'decision', work: (id: string) => Promise<void>): Promise<boolean> {
  const job = await ports.unitOfWork.run(({ jobs }) => jobs.take(kind))
  if (job === undefined) return false
  await work(job.data.verificationId).catch((error: unknown) => {
    // It was cancelled, or decided by whoever had the job before.
    if (!(error instanceof Failure && error.code === 'verification-over')) throw error
  })
  await ports.unitOfWork.run(({ jobs }) => jobs.complete(kind, job.id))
  return true
}
