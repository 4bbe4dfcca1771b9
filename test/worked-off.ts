import type { JobWork, OwnJob } from '../src/app/service/job-runner.ts'
import type { StoreRoom } from '../src/store-room.ts'

/** Does what a queue has to give, one job after another, as the runner does; gives what each came to. */
export async function workOff<K extends OwnJob>(
  { unitOfWork }: Pick<StoreRoom, 'unitOfWork'>,
  kind: K,
  work: JobWork<K>,
): Promise<('done' | 'again')[]> {
  const ends: ('done' | 'again')[] = []
  for (;;) {
    const job = await unitOfWork.run(({ jobs }) => jobs.take(kind))
    if (job === undefined) return ends
    const end = await work(job, new AbortController().signal)
    await unitOfWork.run(async (unit) => {
      await end.write?.(unit)
      if (end.end === 'again' && end.next === undefined) return await unit.jobs.retry(kind, job)
      await unit.jobs.complete(kind, job.id)
      const next = end.end === 'again' ? end.next : await end.more?.(unit)
      if (next !== undefined && next !== null) await unit.jobs.enqueue(kind, next.data, { after: next.at })
    })
    end.told?.()
    ends.push(end.end)
  }
}
