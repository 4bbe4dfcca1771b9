import { z } from 'zod'
import { ARCHITECTURES } from '../store/records.ts'
import type { ServiceFigures } from './service-figures.ts'

const Seconds = z.number().nonnegative()

/**
 * `/readyz`. `ready` is whether requests can be served: database, queue and blobs. What is only told, since turning clients and workers
 * away would mend none of it: an outage of Sigstore, and that nobody builds; a worker that comes has to find the door open.
 */
export const Readiness = z.strictObject({
  ready: z.boolean(),
  database: z.strictObject({ ok: z.boolean() }),
  /** Lost jobs are found by whoever supervises. */
  queue: z.strictObject({ ok: z.boolean(), supervisedSeconds: Seconds.nullable() }),
  blobs: z.strictObject({ ok: z.boolean(), writable: z.boolean(), freeBytes: z.int().nonnegative().nullable() }),
  signing: z.strictObject({ ok: z.boolean(), tasks: z.int().nonnegative().nullable(), oldestSeconds: Seconds.nullable() }),
  workers: z.strictObject({
    ok: z.boolean(),
    /** Those that attempts wait for, or that have workers. */
    routes: z.array(
      z.strictObject({
        architecture: z.enum(ARCHITECTURES),
        /** Attempts of trusted owners, or of strangers, which only workers on hosts of their own take. */
        owners: z.enum(['trusted', 'stranger']),
        waiting: z.int().nonnegative(),
        waitedSeconds: Seconds,
        workers: z.int().nonnegative(),
      }),
    ),
  }),
})
export type Readiness = z.infer<typeof Readiness>

export type ReadinessPorts = {
  /** Null where the database does not answer. */
  readonly figures: () => Promise<ServiceFigures | null>
  /** Null where the folder hangs. */
  readonly blobs: () => Promise<{ readonly writable: boolean; readonly freeBytes: number } | null>
  readonly superviseSeconds: number
  /** Less room than this, and nothing new is to come. */
  readonly minFreeBytes: number
  readonly now: () => Date
}

/** An outage of the signer that nobody has to be told of is shorter, seconds. */
const BACKLOG_SECONDS = 900

export async function readReadiness(ports: ReadinessPorts): Promise<Readiness> {
  const [figures, blobs] = await Promise.all([ports.figures(), ports.blobs()])
  const now = ports.now().getTime()
  const age = (since: Date | null): number | null => (since === null ? null : Math.max(0, Math.round((now - since.getTime()) / 1000)))
  const supervised = figures === null ? null : age(figures.supervised)
  const queue = { ok: supervised !== null && supervised <= 4 * ports.superviseSeconds, supervisedSeconds: supervised }
  const roomy = blobs !== null && blobs.writable && blobs.freeBytes >= ports.minFreeBytes
  const oldestSeconds = figures === null ? null : (age(figures.signing.oldest) ?? 0)
  const routes = figures === null ? [] : routesOf(figures, age)
  return {
    ready: figures !== null && queue.ok && roomy,
    database: { ok: figures !== null },
    queue,
    blobs: { ok: roomy, writable: blobs?.writable ?? false, freeBytes: blobs?.freeBytes ?? null },
    signing: {
      ok: oldestSeconds !== null && oldestSeconds <= BACKLOG_SECONDS,
      tasks: figures?.signing.tasks ?? null,
      oldestSeconds,
    },
    workers: { ok: figures !== null && routes.every(({ waiting, workers }) => waiting === 0 || workers > 0), routes },
  }
}

function routesOf({ queues, workers }: ServiceFigures, age: (since: Date | null) => number | null): Readiness['workers']['routes'] {
  return ARCHITECTURES.flatMap((architecture) =>
    (['trusted', 'stranger'] as const).map((owners) => {
      const queue = queues.find(({ kind }) => kind === `attempt-${architecture}-${owners}`)
      const able = workers.filter((one) => one.architecture === architecture && (owners === 'trusted' || one.place === 'remote'))
      return {
        architecture,
        owners,
        waiting: queue?.waiting ?? 0,
        waitedSeconds: age(queue?.dueSince ?? null) ?? 0,
        workers: able.reduce((sum, { count }) => sum + count, 0),
      }
    }),
  ).filter(({ waiting, workers: able }) => waiting > 0 || able > 0)
}
