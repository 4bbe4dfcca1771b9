import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Reads, VerificationFilter } from '../src/app/store/store-ports.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { sha256Of } from '../verifier/model/hex-digest.ts'
import { LoopbackClient } from './loopback-client.ts'
import { ServiceProcess } from './service-process.ts'
import { fillVerifications, groupsOf, ownerId, rowId, rowTime, sourceName } from './service-rows.ts'
import { startBenchServer } from './service-store.ts'
import { percentile, spread } from './spread.ts'

/**
 * What a read costs with few and with many verifications in PostgreSQL: one verification, and the newest page, plain and by each filter; of
 * the store, and over HTTP. The two databases are asked in turn. Aim: a median at most 1.3 times as long.
 * node bench/service-pages.ts [--few 1000] [--many 1000000] [--rounds 500]   after `npm run build`
 */
const { values } = parseArgs({
  options: {
    few: { type: 'string', default: '1000' },
    many: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '500' },
  },
})

type Filter = Partial<VerificationFilter>
type Question = { readonly one: string } | { readonly attemptsOf: string } | { readonly page: Filter } | { readonly known: Sha256 }
type Place = { readonly name: string; readonly count: number; readonly ask: (question: Question) => Promise<unknown> }

const LIMIT = 20
const digestOf = (text: string) => sha256Of(createHash('sha256').update(text))
/** Another one each time, spread over all there are. */
const pick = (round: number, among: number): number => Math.floor(((round * 0.618034) % 1) * among)
const group = (round: number, count: number): number => 1 + pick(round, groupsOf(count) - 1)
const image = (round: number, count: number) => digestOf(`image ${pick(round, groupsOf(count))}image.tar`)

const QUESTIONS: Readonly<Record<string, (round: number, count: number) => Question>> = {
  'one verification': (round, count) => ({ one: rowId(1 + pick(round, count)) }),
  'attempts of one': (round, count) => ({ attemptsOf: rowId(1 + pick(round, count)) }),
  'newest page': () => ({ page: {} }),
  'by verdict, usual': () => ({ page: { verdict: 'reproduced' } }),
  'by verdict, rare': () => ({ page: { verdict: 'mismatch' } }),
  'by verdict, none': () => ({ page: { verdict: 'build-failed' } }),
  'by source': (round, count) => ({ page: { source: sourceName(group(round, count)) } }),
  'by source of a third': () => ({ page: { source: sourceName(0) } }),
  'by builder': (round, count) => ({ page: { builder: digestOf(`builder ${group(round, count)}`) } }),
  'by owner': (round, count) => ({ page: { owner: ownerId(group(round, count)) } }),
  'by owner of a third': () => ({ page: { owner: ownerId(0) } }),
  'by subject': (round, count) => ({ page: { subject: image(round, count) } }),
  'since half of all': (_round, count) => ({ page: { since: rowTime(count / 2) } }),
  'by owner and verdict': (round, count) => ({ page: { owner: ownerId(group(round, count)), verdict: 'reproduced' } }),
  'known of a subject': (round, count) => ({ known: image(round, count) }),
}

const ANY: VerificationFilter = { verdict: null, subject: null, source: null, builder: null, owner: null, since: null }

async function askStore({ verifications, attempts }: Reads, question: Question): Promise<unknown> {
  const request = { cursor: null, limit: LIMIT }
  if ('one' in question) return await verifications.read(question.one)
  if ('attemptsOf' in question) return await attempts.of(question.attemptsOf)
  if ('known' in question) return await verifications.known(question.known, request)
  return await verifications.page({ ...ANY, ...question.page }, request)
}

function target(question: Question): string {
  if ('one' in question) return `/v1/verifications/${question.one}`
  if ('attemptsOf' in question) return `/v1/verifications/${question.attemptsOf}/attempts`
  if ('known' in question) return `/v1/subjects/${question.known}?limit=${LIMIT}`
  const query = new URLSearchParams({ limit: String(LIMIT) })
  for (const [name, value] of Object.entries(question.page)) query.set(name, value instanceof Date ? value.toISOString() : (value ?? ''))
  return `/v1/verifications?${query.toString()}`
}

await using held = new AsyncDisposableStack()
const server = held.use(await startBenchServer())
const homes = await mkdtemp(path.join(os.tmpdir(), 'bitwitness-bench-'))
held.defer(() => rm(homes, { recursive: true, force: true }))
const levels: Record<'store' | 'HTTP', Place[]> = { store: [], HTTP: [] }
for (const [name, count] of [
  ['few', Number(values.few)],
  ['many', Number(values.many)],
] as const) {
  const { url, room } = await server.store(name)
  // Before there is anything: what it looks after at its start is not to be in the way.
  const service = held.use(await ServiceProcess.start({ database: url, home: path.join(homes, name) }))
  const since = performance.now()
  await fillVerifications(url, count)
  console.log(`${count} verifications written in ${((performance.now() - since) / 1000).toFixed(0)} s`)
  const client = held.use(new LoopbackClient(service.port, 1))
  levels.store.push({ name, count, ask: (question) => askStore(room.reads, question) })
  levels.HTTP.push({ name, count, ask: (question) => client.expect(200, { method: 'GET', target: target(question) }) })
}
for (const [level, places] of Object.entries(levels)) await measure(level, places, Number(values.rounds))

async function measure(level: string, places: readonly Place[], rounds: number): Promise<void> {
  const machine = `${os.availableParallelism()} processors, load ${os.loadavg()[0]?.toFixed(1)}, node ${process.version}`
  console.log(`\n${level} on PostgreSQL; ${machine}; ${rounds} reads each, in turn; ms: least, median, p99`)
  console.log(`${''.padEnd(22)}${places.map(({ count }) => String(count).padStart(24)).join('  ')}   ratio of least, of medians`)
  for (const [name, question] of Object.entries(QUESTIONS)) {
    const times = places.map((): number[] => [])
    for (let round = -20; round < rounds; round += 1)
      // First one first, then the other.
      for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const place = places[at]
        if (place === undefined) continue
        const since = performance.now()
        await place.ask(question(Math.abs(round), place.count))
        if (round >= 0) times[at]?.push(performance.now() - since)
      }
    const ratios = [0, 0.5].map((part) => {
      const [few, many] = times.map((all) => percentile(all, part))
      return ((many ?? Number.NaN) / (few ?? Number.NaN)).toFixed(2)
    })
    console.log(`${name.padEnd(22)}${times.map(spread).join('  ')}   ${ratios.join('  ')}`)
  }
}
