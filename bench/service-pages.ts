import { createHash } from 'node:crypto'
import os from 'node:os'
import { parseArgs } from 'node:util'
import type { Reads, VerificationFilter } from '../src/app/store/store-ports.ts'
import { sha256Of } from '../verifier/model/hex-digest.ts'
import { fillVerifications, groupsOf, ownerId, rowId, rowTime, sourceName } from './service-rows.ts'
import { startBenchServer } from './service-store.ts'
import { percentile, spread } from './spread.ts'

/**
 * What a read of the store costs with few and with many verifications in PostgreSQL: one verification, and the newest page, plain and by
 * each filter. The two databases are asked in turn. Aim: a median at most 1.3 times as long.
 * node bench/service-pages.ts [--few 1000] [--many 1000000] [--rounds 500]
 */
const { values } = parseArgs({
  options: {
    few: { type: 'string', default: '1000' },
    many: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '500' },
  },
})

type Place = { readonly reads: Reads; readonly count: number }
type Read = (place: Place, round: number) => Promise<unknown>

const ANY: VerificationFilter = { verdict: null, subject: null, source: null, builder: null, owner: null, since: null }
const page =
  (filter: (round: number, count: number) => Partial<VerificationFilter>): Read =>
  ({ reads, count }, round) =>
    reads.verifications.page({ ...ANY, ...filter(round, count) }, { cursor: null, limit: 20 })

const digestOf = (text: string) => sha256Of(createHash('sha256').update(text))
/** Another one each time, spread over all there are. */
const pick = (round: number, among: number): number => Math.floor(((round * 0.618034) % 1) * among)
const group = (round: number, count: number): number => 1 + pick(round, groupsOf(count) - 1)
const image = (round: number, count: number) => digestOf(`image ${pick(round, groupsOf(count))}image.tar`)

const READS: Readonly<Record<string, Read>> = {
  'one verification': ({ reads, count }, round) => reads.verifications.read(rowId(1 + pick(round, count))),
  'attempts of one': ({ reads, count }, round) => reads.attempts.of(rowId(1 + pick(round, count))),
  'newest page': page(() => ({})),
  'by verdict, usual': page(() => ({ verdict: 'reproduced' })),
  'by verdict, rare': page(() => ({ verdict: 'mismatch' })),
  'by verdict, none': page(() => ({ verdict: 'build-failed' })),
  'by source': page((round, count) => ({ source: sourceName(group(round, count)) })),
  'by source of a third': page(() => ({ source: sourceName(0) })),
  'by builder': page((round, count) => ({ builder: digestOf(`builder ${group(round, count)}`) })),
  'by owner': page((round, count) => ({ owner: ownerId(group(round, count)) })),
  'by owner of a third': page(() => ({ owner: ownerId(0) })),
  'by subject': page((round, count) => ({ subject: image(round, count) })),
  'since half of all': page((_round, count) => ({ since: rowTime(count / 2) })),
  'by owner and verdict': page((round, count) => ({ owner: ownerId(group(round, count)), verdict: 'reproduced' })),
  'known of a subject': ({ reads, count }, round) => reads.verifications.known(image(round, count), { cursor: null, limit: 20 }),
}

await using server = await startBenchServer()
const places: Place[] = []
for (const [name, count] of [
  ['few', Number(values.few)],
  ['many', Number(values.many)],
] as const) {
  const { url, room } = await server.store(name)
  const since = performance.now()
  await fillVerifications(url, count)
  console.log(`${count} verifications written in ${((performance.now() - since) / 1000).toFixed(0)} s`)
  places.push({ reads: room.reads, count })
}

const rounds = Number(values.rounds)
const machine = `${os.availableParallelism()} processors, load ${os.loadavg()[0]?.toFixed(1)}, node ${process.version}`
console.log(`store on PostgreSQL; ${machine}; ${rounds} reads each, in turn; ms: least, median, p99`)
console.log(`${''.padEnd(22)}${places.map(({ count }) => String(count).padStart(24)).join('  ')}   ratio of medians`)
for (const [name, read] of Object.entries(READS)) {
  const times = places.map((): number[] => [])
  for (let round = -20; round < rounds; round += 1)
    // First one first, then the other.
    for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const place = places[at]
      if (place === undefined) continue
      const since = performance.now()
      await read(place, Math.abs(round))
      if (round >= 0) times[at]?.push(performance.now() - since)
    }
  const [few, many] = times.map((all) => percentile(all, 0.5))
  console.log(`${name.padEnd(22)}${times.map(spread).join('  ')}   ${((many ?? Number.NaN) / (few ?? Number.NaN)).toFixed(2)}`)
}
