import { setTimeout as delay } from 'node:timers/promises'
import type { WebhookReceiver } from '../../src/notify/testing/webhook-receiver.ts'
import { type ClientOptions, type Submitted, submitPlanned } from './client.ts'
import type { PlannedSubmission } from './submission-plan.ts'
import type { Workshop } from './workshop.ts'

export type SubmittingOptions = ClientOptions & {
  readonly plan: readonly PlannedSubmission[]
  readonly workshop: Pick<Workshop, 'publish'>
  readonly receiver: Pick<WebhookReceiver, 'url'>
  /** Under way at the same time. */
  readonly atOnce: number
  /** How much of the kills is over, from 0 to 1: submissions keep step with them. */
  readonly progress: () => number
}

const LOOK_MS = 50

/** Submits all of the plan, and resolves once each has come to its end or nothing is waited for any more. Rejects with what fails first. */
export async function submitAll(o: SubmittingOptions): Promise<readonly Submitted[]> {
  const running = new Set<Promise<void>>()
  const all: Submitted[] = []
  const failed = new AbortController()
  for (const [index, planned] of o.plan.entries()) {
    while (running.size >= o.atOnce || index > o.atOnce + o.progress() * o.plan.length) await delay(LOOK_MS)
    failed.signal.throwIfAborted()
    const done = o.workshop
      .publish(planned, o.receiver.url)
      .then((published) => submitPlanned(o, planned, published))
      .then((submitted) => void all.push(submitted))
      .finally(() => running.delete(done))
    done.catch((error: unknown) => failed.abort(error))
    running.add(done)
  }
  await Promise.all(running)
  failed.signal.throwIfAborted()
  return all.toSorted((a, b) => a.planned.number - b.planned.number)
}
