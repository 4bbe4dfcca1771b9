import { Random } from '../../verifier/compare/testing/random.ts'

export type Victim = 'coordinator' | 'worker' | 'postgres' | 'docker'

/** One SIGKILL. It comes after so many events of the service since the last one, whenever that is. */
export type Kill = {
  readonly number: number
  readonly victim: Victim
  /** Which of several, modulo how many there are. */
  readonly which: number
  readonly afterEvents: number
  /** From the last of these events on, ms: so that not only what follows an event at once is met. */
  readonly lagMs: number
  /** Until it is started again, ms. */
  readonly downMs: number
}

export type KillPlanOptions = {
  readonly seed: number
  readonly kills: number
  /** How often each is the victim, in proportion. */
  readonly weights: Readonly<Partial<Record<Victim, number>>>
  /** At most, from one kill to the next. */
  readonly events: number
  readonly lagMs?: number
  readonly downMs?: number
}

/** Who is killed when: the same for the same seed. */
export function killPlan(o: KillPlanOptions): readonly Kill[] {
  const random = new Random(o.seed)
  const victims = (Object.entries(o.weights) as [Victim, number][]).flatMap(([victim, weight]) =>
    Array.from({ length: weight }, () => victim),
  )
  const [any] = victims
  if (any === undefined) return []
  return Array.from({ length: o.kills }, (_, index) => ({
    number: index + 1,
    victim: random.pick(victims) ?? any,
    which: random.below(1000),
    afterEvents: 1 + random.below(o.events),
    lagMs: random.below(o.lagMs ?? 60),
    downMs: random.below(o.downMs ?? 1000),
  }))
}
