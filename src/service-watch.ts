import { keptAnswer } from './app/service/kept-answer.ts'
import { type Readiness, type ReadinessPorts, readReadiness } from './app/service/readiness.ts'
import { figuresOf, type QueueFigures, type ServiceFigures } from './app/service/service-figures.ts'
import type { Reads } from './app/store/store-ports.ts'
import { ServiceMetrics } from './metrics/service-metrics.ts'
import { probeBlobs } from './storage/blob-probe.ts'

/** How often lost jobs are looked for. */
export const SUPERVISE_SECONDS = 10
/** Probes come every few seconds, from more than one place; none of them is to wait. */
const KEPT = { keepMs: 5_000, patienceMs: 2_000 }
/** Longer than figures are waited for: without them there are others. */
const COLLECTED = { keepMs: 1_000, patienceMs: 5_000 }

type Database = { readonly reads: Pick<Reads, 'attestations' | 'workers'>; readonly queue: QueueFigures }

/** What those who run the service see of it: figures, and whether it is ready. It is there before the database is, which it may outlive. */
export class ServiceWatch {
  /** In the form of Prometheus, collected at most once a second: whoever asks without end must not use the process up. */
  readonly metrics: { readonly contentType: string; readonly text: () => Promise<string | null> }
  /** What is counted. */
  readonly events: ServiceMetrics['events']
  readonly #ports: ReadinessPorts
  #read: () => Promise<ServiceFigures> = () => Promise.reject(new Error('not open yet'))

  /** `blobs`: the folder of them. `clock`: monotonic milliseconds. */
  constructor(o: { readonly blobs: string; readonly minFreeBytes: number; readonly now: () => Date; readonly clock?: () => number }) {
    const { now, minFreeBytes, clock = () => performance.now() } = o
    const figures = keptAnswer({ read: () => this.#read(), clock, ...KEPT })
    const metrics = new ServiceMetrics({ figures, now, process: true })
    this.events = metrics.events
    this.metrics = { contentType: metrics.contentType, text: keptAnswer({ read: () => metrics.text(), clock, ...COLLECTED }) }
    const blobs = keptAnswer({ read: () => probeBlobs(o.blobs), clock, ...KEPT })
    this.#ports = { figures, blobs, minFreeBytes, now, superviseSeconds: SUPERVISE_SECONDS }
  }

  /** From here on the database is looked at. */
  look({ reads, queue }: Database): void {
    this.#read = figuresOf({ reads, queue, now: this.#ports.now })
  }

  readonly readiness = (): Promise<Readiness> => readReadiness(this.#ports)
}
