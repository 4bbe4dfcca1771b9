import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { ServicePorts } from '../src/app/service/accept-verification.ts'
import { WorkerKey } from '../src/worker-auth/worker-key.ts'
import { acceptPrepared, addOwner, addWorker, newId, submissionOf } from '../test/stored.ts'
import { BenchWorker } from './bench-worker.ts'
import { LoopbackClient } from './loopback-client.ts'
import { processorSeconds } from './processor-seconds.ts'
import { Rebuilderd } from './rebuilderd.ts'
import { ServiceProcess } from './service-process.ts'
import { startBenchServer } from './service-store.ts'
import { percentile, spread } from './spread.ts'

/**
 * How many attempts a second workers take, keep by one heartbeat and report with a log, over HTTP, while many idle workers are connected;
 * side by side with Debian's rebuilderd doing the same with its own workers' requests, in turn. Ours signs each request, hands the log over
 * by itself, and commits to PostgreSQL durably; rebuilderd has SQLite, synced now and then, in the same process.
 * node bench/service-workers.ts [--idle 100] [--busy 8] [--jobs 500] [--rounds 5]   after `npm run build`
 */
const { values } = parseArgs({
  options: {
    idle: { type: 'string', default: '100' },
    busy: { type: 'string', default: '8' },
    jobs: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '5' },
  },
})
const [idle, busy, jobs, rounds] = [Number(values.idle), Number(values.busy), Number(values.jobs), Number(values.rounds)]
/** As much as a line or ten of a real one. */
const LOG = Buffer.from('building something that says little\n'.repeat(30))

type Contestant = {
  readonly name: string
  readonly queue: (round: number) => Promise<void>
  /** Takes, keeps and reports one job; fails where there is none. */
  readonly runOne: (worker: number, note: Note) => Promise<void>
  readonly cpu: () => Promise<Readonly<Record<string, number>>>
  /** What else there is to say at the end. */
  readonly said?: () => string
}
type Note = (step: string, since: number) => void

await using held = new AsyncDisposableStack()
const contestants = [await ours(), ...(Rebuilderd.isThere() ? [await theirs()] : [])]
const machine = `${os.availableParallelism()} processors, load ${os.loadavg()[0]?.toFixed(1)}, node ${process.version}`
console.log(`${busy} workers at work, ${idle} idle; ${machine}; ${rounds} rounds of ${jobs} jobs, in turn`)
const results = contestants.map(() => ({ rates: [] as number[], steps: new Map<string, number[]>(), cpu: new Map<string, number>() }))
for (let round = -1; round < rounds; round += 1)
  for (const [at, contestant] of contestants.entries()) {
    const result = results[at]
    if (result !== undefined) await runRound(contestant, round, result)
  }
for (const [at, { name, said }] of contestants.entries()) {
  const { rates, steps, cpu } = results[at] ?? { rates: [], steps: [], cpu: [] }
  const each = [...cpu].map(([what, seconds]) => `${what} ${((seconds * 1000) / (rounds * jobs)).toFixed(2)} ms`).join(', ')
  console.log(
    `${name.padEnd(12)} jobs a second: ${[0, 0.5, 1].map((part) => percentile(rates, part).toFixed(0)).join(', ')}   CPU each: ${each}`,
  )
  for (const [step, times] of steps) console.log(`  ${step.padEnd(14)} ms: least, median, p99 ${spread(times)}`)
  if (said !== undefined) console.log(`  ${said()}`)
}

async function runRound(contestant: Contestant, round: number, result: (typeof results)[number]): Promise<void> {
  await contestant.queue(round)
  const note: Note = (step, since) => {
    if (round < 0) return
    result.steps.set(step, result.steps.get(step) ?? [])
    result.steps.get(step)?.push(performance.now() - since)
  }
  const [before, since] = [await contestant.cpu(), performance.now()]
  let begun = 0
  const side = async (worker: number): Promise<void> => {
    for (; begun < jobs; ) {
      begun += 1
      await contestant.runOne(worker, note)
    }
  }
  await Promise.all(Array.from({ length: busy }, (_, worker) => side(worker)))
  const seconds = (performance.now() - since) / 1000
  // What is only made once is made in the first round.
  if (round < 0) return
  result.rates.push(jobs / seconds)
  for (const [what, after] of Object.entries(await contestant.cpu()))
    result.cpu.set(what, (result.cpu.get(what) ?? 0) + after - (before[what] ?? 0))
}

async function ours(): Promise<Contestant> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'bitwitness-bench-'))
  held.defer(() => rm(home, { recursive: true, force: true }))
  const server = held.use(await startBenchServer())
  const { url, room } = await server.store('workers')
  const ports: ServicePorts = { unitOfWork: room.unitOfWork, now: () => new Date(), newId }
  const service = held.use(await ServiceProcess.start({ database: url, home }))
  const client = held.use(new LoopbackClient(service.port, idle + busy))
  const enrol = async (name: string, architecture: 'amd64' | 'arm64'): Promise<BenchWorker> => {
    const key = new WorkerKey(generateKeyPairSync('ed25519').privateKey)
    await addWorker(room, name, new Date(), { publicKey: key.publicKey, capabilities: null })
    return new BenchWorker(client, key, architecture)
  }
  let ending = false
  held.defer(() => {
    ending = true
  })
  // Nothing is ever queued for their architecture.
  for (let number = 0; number < idle; number += 1) {
    const worker = await enrol(`idle ${number}`, 'arm64')
    const wait = async (): Promise<void> => {
      while (!ending) await worker.claim(25).catch((error: unknown) => ending || Promise.reject(error))
    }
    void wait()
  }
  const workers: BenchWorker[] = []
  for (let number = 0; number < busy; number += 1) workers.push(await enrol(`busy ${number}`, 'amd64'))
  return {
    name: 'bitwitness',
    queue: async (round) => {
      // Of one owner, only so many may be open.
      const owner = await addOwner(room, `owner ${round}`, new Date())
      for (let number = 0; number < jobs; number += 1) {
        const source = { kind: 'git', url: `https://git.example/${round}/${number}`, commit: 'a'.repeat(40), path: '.' } as const
        await acceptPrepared(ports, submissionOf(owner.id, { source, attempts: 1 }))
      }
    },
    runOne: async (number, note) => {
      const worker = workers[number]
      const begun = performance.now()
      const job = await worker?.claim(25)
      if (job === undefined || worker === undefined) throw new Error('no job')
      note('claim', begun)
      const beaten = performance.now()
      await worker.heartbeat(job)
      note('heartbeat', beaten)
      const reported = performance.now()
      await worker.report(job, LOG)
      note('log and report', reported)
    },
    cpu: async () => ({ server: (await service.usage()).cpu, PostgreSQL: await server.processorSeconds() }),
  }
}

async function theirs(): Promise<Contestant> {
  const daemon = held.use(await Rebuilderd.start(idle + busy))
  for (let number = 0; number < idle + busy; number += 1) await daemon.register(`worker ${number}`)
  // Theirs ask every three minutes while there is nothing: in a round, hardly one of them.
  return {
    name: 'rebuilderd',
    queue: (round) => daemon.queue(round, jobs),
    runOne: (number, note) => daemon.runOne(`worker ${number}`, LOG, note),
    cpu: async () => ({ server: await processorSeconds(daemon.pid) }),
    said: () => `${daemon.locked} requests were answered that its database is locked, and sent again`,
  }
}
