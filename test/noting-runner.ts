import type { JobTrades } from '../src/app/service/job-runner.ts'
import type { Unit } from '../src/app/store/store-ports.ts'

/** Leaves a trace that shows how often a result was written: an event, of which nothing is ever taken back or merged. */
export function noting(verificationId: string): (unit: Unit) => Promise<void> {
  return async ({ events }) => {
    await events.append(verificationId, [{ kind: 'log', line: 'done', attempt: 0, at: '2026-01-01T00:00:00.000Z' }])
  }
}

/** Trades for queues that have no jobs. */
export const IDLE_TRADES: JobTrades = {
  preparation: { atOnce: 1, work: never },
  decision: { atOnce: 1, work: never },
  signing: { atOnce: 1, work: never },
  summary: { atOnce: 1, work: never },
  callback: { atOnce: 1, work: never },
  deployment: { atOnce: 1, work: never },
  observation: { atOnce: 1, work: never },
}

function never(): Promise<never> {
  return Promise.reject(new Error('nothing was to be done here'))
}
