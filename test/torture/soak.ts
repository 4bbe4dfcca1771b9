import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DockerWorkshop, REAL_CHARACTERS } from './docker-workshop.ts'
import { StandInWorkshop } from './stand-in-workshop.ts'
import { CHARACTERS } from './submission-plan.ts'
import { summary } from './summary.ts'
import { type TortureOptions, torture } from './torture.ts'
import type { Workshop } from './workshop.ts'

/**
 * `node test/torture/soak.ts stand-in|real [SEED [KILLS [JOBS]]]`: kills a service while it works, and says whether anything was lost. With
 * a stand-in for the builder; or with real builds, on an engine of its own, which is killed as well.
 */
type Kind = Pick<TortureOptions, 'coordinators' | 'workers' | 'atOnce'> & {
  readonly open: (folder: string) => Promise<Workshop>
  readonly kills: TortureOptions['kills']
  readonly submissions: TortureOptions['submissions']
}

const KINDS: Readonly<Record<string, Kind>> = {
  'stand-in': {
    open: (folder) => StandInWorkshop.open(folder),
    coordinators: 2,
    workers: 3,
    atOnce: 16,
    kills: { kills: 200, weights: { coordinator: 3, worker: 3, postgres: 2 }, events: 14 },
    submissions: { jobs: 100, weights: CHARACTERS, buildMs: 1500 },
  },
  real: {
    open: (folder) => DockerWorkshop.open(folder),
    coordinators: 1,
    workers: 2,
    atOnce: 5,
    kills: { kills: 16, weights: { coordinator: 1, worker: 2, postgres: 1, docker: 2 }, events: 14, lagMs: 1500, downMs: 2000 },
    submissions: { jobs: 12, weights: REAL_CHARACTERS, buildMs: 1 },
  },
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)

async function main([name = '', ...numbers]: readonly string[]): Promise<number> {
  const kind = KINDS[name]
  if (kind === undefined) {
    say(`name one of ${Object.keys(KINDS).join(', ')}`)
    return 2
  }
  const { open, ...o } = kind
  const [seed = Date.now() % 1_000_000, kills = o.kills.kills, jobs = o.submissions.jobs] = numbers.map(Number)
  const folder = await mkdtemp(path.join(tmpdir(), 'bws-'))
  say(`${name}: seed ${seed}, ${kills} kills, ${jobs} jobs, in ${folder}`)
  await using workshop = await open(path.join(folder, 'publisher'))
  const options = { ...o, kills: { ...o.kills, kills }, submissions: { ...o.submissions, jobs } }
  const result = await torture({ ...options, folder, seed, workshop, patienceSeconds: 1200, say })
  say(summary(result).join('\n'))
  // What went wrong is to be looked at.
  if (result.wrong.length > 0) return 1
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  return 0
}

process.exitCode = await main(process.argv.slice(2))
