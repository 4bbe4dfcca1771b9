import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { ServiceEvents } from '../app/service/service-events.ts'
import type { ServiceFigures } from '../app/service/service-figures.ts'
import { architectureLabel, codeLabel, methodLabel, RouteLabels } from './labels.ts'

/** Stages take from fractions of a second to the half hour that an attempt may take. */
const STAGE_BUCKETS = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600]
const WAIT_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400]
const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30]

/**
 * The figures of one process, as Prometheus takes them. What happened is counted as it is told; what there is to do is read from the
 * database when somebody asks. All labels are words of ours, or cut down to few.
 */
export class ServiceMetrics {
  readonly #registry = new Registry()
  readonly #figures: () => Promise<ServiceFigures | null>
  readonly #now: () => Date
  readonly #routes = new RouteLabels()
  readonly #gauges = gaugesIn(this.#registry)
  readonly #counters = countersIn(this.#registry)

  /** `figures` gives null where the database does not answer. `process`: those of Node.js as well. */
  constructor(o: { readonly figures: () => Promise<ServiceFigures | null>; readonly now: () => Date; readonly process: boolean }) {
    this.#figures = o.figures
    this.#now = o.now
    if (o.process) collectDefaultMetrics({ register: this.#registry })
  }

  readonly contentType: string = this.#registry.contentType

  async text(): Promise<string> {
    this.#set(await this.#figures())
    return await this.#registry.metrics()
  }

  /** What is counted. */
  readonly events: Partial<ServiceEvents> = {
    submissionAccepted: ({ joined }) => this.#counters.submissions.inc({ joined: String(joined) }),
    attemptLeased: ({ waitedSeconds }) => {
      if (waitedSeconds !== null) this.#counters.wait.observe(bounded(waitedSeconds))
    },
    attemptEnded: ({ outcome, mode, stages }) => {
      this.#counters.attempts.inc({ outcome, mode })
      if (outcome === 'input-unavailable') this.#counters.mirrors.inc()
      for (const { name, ms } of stages) this.#counters.stages.observe({ stage: name, mode }, bounded(ms / 1000))
    },
    leaseLost: () => this.#counters.leasesLost.inc(),
    reportRefused: ({ error }) => this.#counters.reportsRefused.inc({ code: codeLabel(error) }),
    verdictGiven: ({ verdict, tier, seconds }) => {
      this.#counters.verdicts.inc({ verdict, tier: tier ?? 'none' })
      this.#counters.verification.observe(bounded(seconds))
    },
    signed: () => this.#counters.signatures.inc({ result: 'signed' }),
    summarySigned: () => this.#counters.signatures.inc({ result: 'signed' }),
    summaryFailed: () => this.#counters.signatures.inc({ result: 'failed' }),
    signingFailed: () => this.#counters.signatures.inc({ result: 'failed' }),
    callbackSent: () => this.#counters.callbacks.inc({ result: 'sent' }),
    callbackFailed: ({ nextAt }) => this.#counters.callbacks.inc({ result: nextAt === null ? 'given-up' : 'failed' }),
    jobFailed: ({ kind }) => this.#counters.jobsFailed.inc({ kind }),
    requestAnswered: ({ method, route, status, ms }) => {
      const labels = { method: methodLabel(method), route: this.#routes.of(route) }
      this.#counters.requests.inc({ ...labels, status: String(status) })
      this.#counters.requestSeconds.observe(labels, bounded(ms / 1000))
    },
    guestAnswered: ({ policy, asked, allowed }) => this.#counters.guests.inc({ policy, asked, result: allowed ? 'allow' : 'deny' }),
    deploymentAdvanced: ({ target, state }) => {
      if (state === 'running' || state === 'denied' || state === 'failed') this.#counters.deployments.inc({ target, result: state })
    },
    observed: ({ verdict }) => this.#counters.observations.inc({ verdict: verdict ?? 'none' }),
    trouble: () => this.#counters.troubles.inc(),
  }

  #set(figures: ServiceFigures | null): void {
    const gauges = this.#gauges
    gauges.database.set(figures === null ? 0 : 1)
    for (const gauge of [gauges.jobs, gauges.oldest, gauges.backlog, gauges.backlogOldest, gauges.workers]) gauge.reset()
    if (figures === null) {
      // Nothing is said rather than zero, which would look like all is well.
      gauges.backlog.remove()
      gauges.backlogOldest.remove()
      return
    }
    const age = (since: Date | null): number => (since === null ? 0 : Math.max(0, (this.#now().getTime() - since.getTime()) / 1000))
    for (const { kind, waiting, active, dueSince } of figures.queues) {
      gauges.jobs.set({ queue: kind, state: 'waiting' }, waiting)
      gauges.jobs.set({ queue: kind, state: 'active' }, active)
      gauges.oldest.set({ queue: kind }, age(dueSince))
    }
    gauges.backlog.set(figures.signing.tasks)
    gauges.backlogOldest.set(age(figures.signing.oldest))
    for (const { architecture, place, count } of figures.workers)
      gauges.workers.inc({ architecture: architectureLabel(architecture), place }, count)
  }
}

/** A worker says how long a stage took: one absurd number would spoil every average. */
function bounded(seconds: number): number {
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 30 * 86_400) : 0
}

function gaugesIn(registry: Registry) {
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge({ name: `bitwitness_${name}`, help, labelNames, registers: [registry] })
  return {
    database: gauge('database_up', 'Whether the database answered when this was asked for.'),
    jobs: gauge('queue_jobs', 'Jobs that wait or are being done, by queue.', 'queue', 'state'),
    oldest: gauge('queue_oldest_seconds', 'For how long the oldest job of a queue could have been taken.', 'queue'),
    backlog: gauge('signing_backlog', 'Statements that are yet to be signed.'),
    backlogOldest: gauge('signing_backlog_oldest_seconds', 'For how long the oldest of them waits.'),
    workers: gauge('workers', 'Workers that were heard of lately or hold an attempt.', 'architecture', 'place'),
  }
}

function countersIn(registry: Registry) {
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name: `bitwitness_${name}`, help, labelNames, registers: [registry] })
  const seconds = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]) =>
    new Histogram({ name: `bitwitness_${name}`, help, buckets, labelNames, registers: [registry] })
  return {
    submissions: counter('submissions_total', 'Submissions that were accepted.', 'joined'),
    attempts: counter('attempts_total', 'Attempts that workers reported, by outcome.', 'outcome', 'mode'),
    stages: seconds('stage_seconds', 'How long the stages of attempts took.', STAGE_BUCKETS, 'stage', 'mode'),
    wait: seconds('attempt_wait_seconds', 'For how long an attempt waited for a worker.', WAIT_BUCKETS),
    mirrors: counter('mirror_failures_total', 'Attempts that ended since a mirror did not give an input.'),
    leasesLost: counter('leases_lost_total', 'Attempts whose worker was not heard of any more.'),
    reportsRefused: counter('reports_refused_total', 'Reports of workers that were not taken, by what they were told.', 'code'),
    verdicts: counter('verdicts_total', 'Verdicts, by tier.', 'verdict', 'tier'),
    verification: seconds('verification_seconds', 'From the submission to the verdict.', WAIT_BUCKETS),
    signatures: counter('signings_total', 'Statements that were signed, and tries that failed.', 'result'),
    callbacks: counter('callbacks_total', 'Callbacks that were sent, failed, or were given up.', 'result'),
    guests: counter('guest_answers_total', 'Answers to KMSs and gateways, by policy.', 'policy', 'asked', 'result'),
    deployments: counter('deployments_total', 'Deployments that ended, by target: running, denied or failed.', 'target', 'result'),
    observations: counter('observations_total', 'Looks at what was deployed, by what was seen; none: nobody could look.', 'verdict'),
    jobsFailed: counter('job_failures_total', 'Jobs of the coordinator that failed and are tried again, by queue.', 'kind'),
    requests: counter('http_requests_total', 'Requests that were answered.', 'method', 'route', 'status'),
    requestSeconds: seconds('http_request_seconds', 'How long an answer took.', REQUEST_BUCKETS, 'method', 'route'),
    troubles: counter('troubles_total', 'Failures that no request and no job told of.'),
  }
}
