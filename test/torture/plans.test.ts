import { expect, it } from 'vitest'
import { EventCount } from './event-count.ts'
import { killAll } from './kill-all.ts'
import { type Kill, killPlan } from './kill-plan.ts'
import { CHARACTERS, submissionPlan } from './submission-plan.ts'

const KILLS = { kills: 200, weights: { coordinator: 3, worker: 3, postgres: 2 }, events: 12 } as const

it('a plan of kills is the same for the same seed, another for another, and strikes everybody', () => {
  const plan = killPlan({ ...KILLS, seed: 7 })
  expect(plan).toEqual(killPlan({ ...KILLS, seed: 7 }))
  expect(plan).not.toEqual(killPlan({ ...KILLS, seed: 8 }))
  const counts = Object.groupBy(plan, ({ victim }) => victim)
  expect([counts.coordinator, counts.worker, counts.postgres].map((some) => (some?.length ?? 0) > 30)).toEqual([true, true, true])
  expect(plan.filter(({ afterEvents }) => afterEvents < 1 || afterEvents > KILLS.events)).toEqual([])
})

it('a plan of submissions is the same for the same seed, and meets every character as often as is asked for', () => {
  const o = { jobs: 46, owners: 4, weights: CHARACTERS, buildMs: 100 }
  const plan = submissionPlan({ ...o, seed: 7 })
  expect(plan).toEqual(submissionPlan({ ...o, seed: 7 }))
  expect(plan).not.toEqual(submissionPlan({ ...o, seed: 8 }))
  const counts = Object.entries(Object.groupBy(plan, ({ character }) => character)).map(([name, some]) => [name, some?.length])
  expect(Object.fromEntries(counts)).toEqual(Object.fromEntries(Object.entries(CHARACTERS).map(([name, weight]) => [name, weight * 2])))
})

it('kills come by what happens, or where nothing does any more, and strike nobody who is down', async () => {
  const events = new EventCount()
  const at: string[] = []
  const kill = (number: number, which: number): Kill => ({ number, victim: 'worker', which, afterEvents: number + 1, lagMs: 0, downMs: 0 })
  const first = Promise.withResolvers<void>()
  const killing = killAll({
    plan: [kill(1, 1), kill(2, 1), kill(6, 2)],
    events,
    quietMs: 50,
    nameOf: ({ which }) => `worker-${which}`,
    strike: async ({ number }) => {
      at.push(`${number} at ${events.count}`)
      if (number === 1) await first.promise
    },
    onKill: async ({ number }) => {
      if (number === 1) for (let event = 0; event < 5; event += 1) events.add()
      // Its victim is down: who is to be killed next waits.
      if (number === 1) setTimeout(first.resolve, 100)
    },
  })
  for (let event = 0; event < 2; event += 1) events.add()
  expect((await killing).map(({ how }) => how)).toEqual(['reached', 'reached', 'quiet'])
  expect(at).toEqual(['1 at 2', '2 at 7', '6 at 7'])
})

it('events are waited for until there are enough, until none comes for a while, or until nobody waits', async () => {
  const events = new EventCount()
  const [few, many, none] = [events.reach(2, 3_600_000), events.reach(3, 50), events.reach(3, 3_600_000, AbortSignal.abort())]
  const over = new AbortController()
  const left = events.reach(3, 3_600_000, over.signal)
  events.add()
  events.add()
  over.abort()
  expect(await Promise.all([few, many, none, left])).toEqual(['reached', 'quiet', 'over', 'over'])
  expect(await events.reach(2, 0, AbortSignal.abort())).toBe('reached')
})
