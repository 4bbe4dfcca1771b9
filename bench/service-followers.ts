import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, get, type IncomingMessage } from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { ServicePorts } from '../src/app/service/accept-verification.ts'
import { acceptPrepared, addOwner, newId, submissionOf } from '../test/stored.ts'
import { ServiceProcess } from './service-process.ts'
import { startBenchServer } from './service-store.ts'
import { percentile, spread } from './spread.ts'

/**
 * What following one live log costs: memory of the coordinator with one follower and with many over SSE, after garbage is collected, and the
 * time from the append of a line, by another process, until the last follower has it.
 * node bench/service-followers.ts [--followers 1000] [--lines 200]   after `npm run build`
 */
const { values } = parseArgs({ options: { followers: { type: 'string', default: '1000' }, lines: { type: 'string', default: '200' } } })

const COLLECT = `process.on('SIGUSR2', () => { gc(); gc() })`

await using held = new AsyncDisposableStack()
const home = await mkdtemp(path.join(os.tmpdir(), 'bitwitness-bench-'))
held.defer(() => rm(home, { recursive: true, force: true }))
const server = held.use(await startBenchServer())
const { url, room } = await server.store('followers')
const { unitOfWork } = room
const ports: ServicePorts = { unitOfWork, now: () => new Date(), newId }
const owner = await addOwner(room, 'owner', new Date())
const verification = await acceptPrepared(ports, submissionOf(owner.id))
const node = ['--expose-gc', '--import', `data:text/javascript,${encodeURIComponent(COLLECT)}`]
const service = held.use(await ServiceProcess.start({ database: url, home, node }))
const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY })
held.defer(() => agent.destroy())

/** Resolves when the last of the followers has the line that is waited for. */
let arrived = { line: '', count: 0, all: () => {} }
const followers: IncomingMessage[] = []

const machine = `${os.availableParallelism()} processors, load ${os.loadavg()[0]?.toFixed(1)}, node ${process.version}`
console.log(`followers of one log on PostgreSQL; ${machine}; ${values.lines} lines; ms: least, median, p99`)
let before = 0
for (const count of [1, Number(values.followers)]) {
  while (followers.length < count) await Promise.all(Array.from({ length: Math.min(50, count - followers.length) }, follow))
  const times: number[] = []
  // A few lines first, so that what is only made once is there.
  for (let number = -20; number < Number(values.lines); number += 1) {
    const ms = await timeLine(`line ${count} ${number}`)
    if (number >= 0) times.push(ms)
  }
  const rss = await collected()
  const more = before === 0 ? '' : `   ${((rss - before) / (count - 1) / 1024).toFixed(1)} KiB a follower`
  console.log(`${String(count).padStart(5)} followers   ${spread(times)}   memory ${(rss / 2 ** 20).toFixed(1)} MiB${more}`)
  before = rss
}

async function follow(): Promise<void> {
  const target = `/v1/verifications/${verification}/events`
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ host: '127.0.0.1', port: service.port, path: target, agent }, resolve).on('error', reject)
  })
  if (answer.statusCode !== 200) throw new Error(`${target}: ${answer.statusCode}`)
  followers.push(answer)
  answer.setEncoding('utf8').on('data', (text: string) => {
    if (!text.includes(arrived.line) || arrived.line === '') return
    arrived.count += 1
    if (arrived.count === followers.length) arrived.all()
  })
  await new Promise((resolve) => answer.once('data', resolve))
}

async function timeLine(line: string): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>()
  arrived = { line: `"${line}"`, count: 0, all: resolve }
  const since = performance.now()
  await unitOfWork.run(({ events }) => events.append(verification, [{ kind: 'log', attempt: 1, at: new Date().toISOString(), line }]))
  await promise
  return performance.now() - since
}

/** Bytes in memory once nothing is left to collect: the least of several looks. */
async function collected(): Promise<number> {
  const looks: number[] = []
  for (let look = 0; look < 5; look += 1) {
    service.signal('SIGUSR2')
    await sleep(500)
    looks.push((await service.usage()).rss)
  }
  return percentile(looks, 0)
}
