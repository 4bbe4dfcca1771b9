import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { CHARACTERS } from './submission-plan.ts'
import { summary } from './summary.ts'
import { torture } from './torture.ts'

/** `node test/torture/soak.ts [SEED [KILLS [JOBS]]]`: kills a service while it works, and says whether anything was lost. */
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const [seed = Date.now() % 1_000_000, kills = 200, jobs = 100] = process.argv.slice(2).map(Number)
const folder = await mkdtemp(path.join(tmpdir(), 'bws-'))
say(`seed ${seed}, ${kills} kills, ${jobs} jobs, in ${folder}`)
const result = await torture({
  folder,
  seed,
  coordinators: 2,
  workers: 3,
  kills: { kills, weights: { coordinator: 3, worker: 3, postgres: 2 }, events: 12 },
  submissions: { jobs, weights: CHARACTERS, buildMs: 1500 },
  atOnce: 12,
  patienceSeconds: 1200,
  say,
})
say(summary(result).join('\n'))
if (result.wrong.length === 0) await rm(folder, { recursive: true, force: true, maxRetries: 3 })
else process.exitCode = 1
