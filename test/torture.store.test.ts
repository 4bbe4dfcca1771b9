import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, inject, it } from 'vitest'
import { StandInWorkshop } from './torture/stand-in-workshop.ts'
import { CHARACTERS } from './torture/submission-plan.ts'
import { summary } from './torture/summary.ts'
import { type TortureOptions, torture } from './torture/torture.ts'

const { hopeless: _, ...SOON } = CHARACTERS
const SEED = 20_260_101

type Size = Pick<TortureOptions, 'coordinators' | 'workers' | 'kills' | 'atOnce'> & { readonly jobs: number }

/** Gives what is wrong, with all that was done where anything is; and how much of it came to its end. */
async function tortured({
  jobs,
  ...o
}: Size): Promise<{ readonly wrong: readonly string[]; readonly ended: number; readonly kills: number }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bwt-'))
  const said: string[] = []
  try {
    await using workshop = await StandInWorkshop.open(path.join(folder, 'publisher'))
    const submissions = { jobs, weights: SOON, buildMs: 400 }
    const say = (line: string): void => void said.push(line)
    const result = await torture({ ...o, folder, workshop, seed: SEED, submissions, patienceSeconds: 600, say })
    const wrong = result.wrong.length === 0 ? [] : [...said, ...summary(result)]
    return { wrong, ended: result.submitted.filter(({ end }) => end !== null).length, kills: result.kills.length }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

// Most of the time they wait: leases run out, and what failed is tried again.
describe.concurrent('killed while it works, loses nothing:', { timeout: 1_200_000 }, () => {
  const onServer = inject('postgres') === null ? it.skip : it

  onServer('a service on PostgreSQL, whose coordinators, workers and database are killed', async ({ expect }) => {
    const kills = { kills: 15, weights: { coordinator: 3, worker: 3, postgres: 2 }, events: 10, downMs: 500 } as const
    const end = await tortured({ coordinators: 2, workers: 2, jobs: 25, atOnce: 14, kills })
    expect(end).toEqual({ wrong: [], ended: 25, kills: 15 })
  })

  it('a service on the embedded database, which builds as well', async ({ expect }) => {
    const kills = { kills: 5, weights: { coordinator: 1 }, events: 12, downMs: 200 } as const
    const end = await tortured({ coordinators: 1, workers: 0, jobs: 10, atOnce: 8, kills })
    expect(end).toEqual({ wrong: [], ended: 10, kills: 5 })
  })
})
