import type { Db } from 'pg-boss'
import type { QueueFigure, QueueFigures } from '../app/service/service-figures.ts'
import type { JobKind } from '../app/store/store-ports.ts'

type Row = {
  readonly name: string
  readonly waiting: string | number
  readonly active: string | number
  readonly due_since: string | Date | null
}

/** What waits and what is being done, of each queue; all are there, also those that are empty. One look at the index of live jobs. */
export async function queueFigures(db: Db, kinds: readonly JobKind[]): ReturnType<QueueFigures['figures']> {
  const { rows } = await db.executeSql(
    `select name,
       count(*) filter (where state < 'active') as waiting,
       count(*) filter (where state = 'active') as active,
       min(start_after) filter (where state < 'active' and start_after <= now()) as due_since
     from queue.job where name = any($1) and state <= 'active' group by name`,
    [kinds],
  )
  const found = new Map((rows as readonly Row[]).map((row) => [row.name, row]))
  const queues = kinds.map((kind): QueueFigure => {
    const row = found.get(kind)
    const since = row?.due_since ?? null
    return {
      kind,
      waiting: Number(row?.waiting ?? 0),
      active: Number(row?.active ?? 0),
      dueSince: since === null ? null : new Date(since),
    }
  })
  const { rows: looks } = await db.executeSql('select max(greatest(monitor_claim_on, monitor_on)) as at from queue.queue', [])
  const at = (looks as readonly { readonly at: string | Date | null }[])[0]?.at ?? null
  return { queues, supervised: at === null ? null : new Date(at) }
}
