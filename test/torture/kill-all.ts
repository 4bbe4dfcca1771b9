import { setTimeout as delay } from 'node:timers/promises'
import type { EventCount } from './event-count.ts'
import type { Kill } from './kill-plan.ts'

export type Struck = Kill & {
  /** Whether as many events came as was planned, or none any more. */
  readonly how: 'reached' | 'quiet'
}

/** Where nothing happens, that is a moment as well; ms. */
const QUIET_MS = 4000

/**
 * Kills by the plan. Several victims may be down at once; one that is down is not killed again before it was started. Resolves once the
 * last one was.
 */
export async function killAll(o: {
  readonly plan: readonly Kill[]
  readonly events: EventCount
  readonly quietMs?: number
  /** Kills and starts again. */
  readonly strike: (kill: Kill) => Promise<void>
  /** Names the one that a kill strikes. */
  readonly nameOf: (kill: Kill) => string
  readonly onKill: (struck: Struck) => Promise<void>
}): Promise<readonly Struck[]> {
  const down = new Map<string, Promise<void>>()
  const all: Struck[] = []
  let due = o.events.count
  for (const kill of o.plan) {
    due += kill.afterEvents
    const how: Struck['how'] = (await o.events.reach(due, o.quietMs ?? QUIET_MS)) === 'reached' ? 'reached' : 'quiet'
    if (how === 'quiet') due = o.events.count
    await delay(kill.lagMs)
    const name = o.nameOf(kill)
    await down.get(name)
    down.set(name, o.strike(kill))
    const struck = { ...kill, how }
    all.push(struck)
    await o.onKill(struck)
  }
  await Promise.all(down.values())
  return all
}
