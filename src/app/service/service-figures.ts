import type { JobKind, Reads } from '../store/store-ports.ts'

/** Jobs of one queue. `dueSince`: since when the one that waits longest could have been taken; null: none could. */
export type QueueFigure = { readonly kind: JobKind; readonly waiting: number; readonly active: number; readonly dueSince: Date | null }
/** Workers that were heard of lately, or hold an attempt. */
export type WorkerFigure = { readonly architecture: string; readonly place: 'in-process' | 'remote'; readonly count: number }

/** How much there is to do, and who does it: what the database knows. */
export type ServiceFigures = {
  readonly queues: readonly QueueFigure[]
  readonly supervised: Date | null
  readonly signing: { readonly tasks: number; readonly oldest: Date | null }
  readonly workers: readonly WorkerFigure[]
  readonly at: Date
}

/** `supervised`: when somebody last looked for lost jobs, in whatever process; null: nobody has. */
export interface QueueFigures {
  figures(): Promise<{ readonly queues: readonly QueueFigure[]; readonly supervised: Date | null }>
}

/** A worker asks for work, or beats, far more often. */
const ALIVE_MS = 120_000

export function figuresOf(o: {
  readonly reads: Pick<Reads, 'attestations' | 'workers'>
  readonly queue: QueueFigures
  readonly now: () => Date
}): () => Promise<ServiceFigures> {
  return async () => {
    const at = o.now()
    const { queues, supervised } = await o.queue.figures()
    const signing = await o.reads.attestations.backlog()
    const workers = await o.reads.workers.alive({ since: new Date(at.getTime() - ALIVE_MS), now: at })
    return { queues, supervised, signing, workers, at }
  }
}
