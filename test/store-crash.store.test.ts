import { spawn } from 'node:child_process'
import path from 'node:path'
import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import type { ServicePorts } from '../src/app/service/accept-verification.ts'
import { giveUpAttempts } from '../src/app/service/lease-attempt.ts'
import { reportAttempt } from '../src/app/service/report-attempt.ts'
import type { Verification } from '../src/app/store/records.ts'
import { StoreRoom } from '../src/store-room.ts'
import { Random } from '../verifier/compare/testing/random.ts'
import { decideNext, hurry, loseWorkers, prepareNext } from './queued.ts'
import { root } from './repository.ts'
import { addWorker, Clock, decisionOf, digestOf, leaseAny, portsOf, reportOf } from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

const SEED = 20_260_101
/** Opening the embedded database takes seconds. */
const KILLS = { pglite: 5, postgres: 8 } as const

describe.each(databases())('a process killed in the middle of its units of work, on %s', (kind) => {
  it('leaves every accepted verification as a whole, so that it comes to its end', { timeout: 200_000 }, async () => {
    const random = new Random(SEED)
    await using place = await emptyDatabase(kind)
    const accepted: string[] = []
    for (let kill = 1; kill <= KILLS[kind]; kill += 1) accepted.push(...(await workUntilKilled(place, kill, 100 + random.below(600))))
    expect(accepted.length).toBeGreaterThan(KILLS[kind])

    await using store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    expect(await halfStates(store)).toEqual([])
    const all = await everything(store)
    expect(accepted.filter((id) => !all.has(id))).toEqual([])
    // The kills hit it in the middle of its work.
    expect(new Set([...all.values()].map(({ state }) => state))).toEqual(new Set(['accepted', 'running', 'finished', 'cancelled']))

    await drain(store, portsOf(store, new Clock(Date.UTC(2027, 0, 1))))
    const ended = await everything(store)
    expect([...ended.values()].filter(({ state, verdict }) => (state === 'finished') !== (verdict !== null) || !isOver(state))).toEqual([])
    // What had ended before the last kill is as it was.
    expect([...all.values()].filter(({ state }) => isOver(state)).map(({ id }) => ended.get(id))).toEqual(
      [...all.values()].filter(({ state }) => isOver(state)),
    )
    expect(await halfStates(store)).toEqual([])
    // Nothing but the jobs led there: none was lost.
    expect((await store.reads.verifications.open({ cursor: null, limit: 5 })).items).toEqual([])
  })
})

/** The ids of the submissions whose acceptance was answered before the kill. */
async function workUntilKilled(place: EmptyDatabase, seed: number, steps: number): Promise<string[]> {
  const args = [path.join(root, 'test/crash-child.ts'), place.url?.reveal() ?? '', place.folder, String(seed), String(steps)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let [said, trouble] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    trouble += text
  })
  const signal = await new Promise((resolve) => child.once('close', (_code, killedBy) => resolve(killedBy)))
  expect([signal, trouble]).toEqual(['SIGKILL', ''])
  return [...said.matchAll(/^accepted (\S+)$/gm)].map((match) => match[1] ?? '')
}

const isOver = (state: Verification['state']): boolean => state === 'finished' || state === 'cancelled'

async function everything({ reads }: StoreRoom): Promise<Map<string, Verification>> {
  const all = new Map<string, Verification>()
  const any = { verdict: null, subject: null, source: null, builder: null, owner: null, since: null }
  for (let cursor: string | null = null; ; ) {
    const page = await reads.verifications.page(any, { cursor, limit: 200 })
    for (const one of page.items) all.set(one.id, one)
    if (page.next === null) return all
    cursor = page.next
  }
}

/** Things that one transaction makes together and of which only a part is there. */
async function halfStates({ database }: StoreRoom): Promise<string[]> {
  const queries = {
    'an open attempt without a job': sql`select a.id from attempts a where a.state <> 'committed' and not exists (
      select 1 from queue.job j where j.data->>'attemptId' = a.id and j.state in ('created', 'retry', 'active'))`,
    'a job without an attempt': sql`select j.data->>'attemptId' as id from queue.job j where j.name like 'attempt-%' and not exists (
      select 1 from attempts a where a.id = j.data->>'attemptId')`,
    'a verification to be prepared without a job': sql`select v.id from verifications v where v.state = 'accepted' and not exists (
      select 1 from queue.job j where j.name = 'preparation' and j.data->>'verificationId' = v.id and j.state in ('created', 'retry', 'active'))`,
    'a verification to be decided without a job': sql`select v.id from verifications v where v.state = 'running' and v.attempts_committed
      and not exists (select 1 from queue.job j where j.name = 'decision' and j.data->>'verificationId' = v.id
        and j.state in ('created', 'retry', 'active'))`,
    'a job without a verification': sql`select j.data->>'verificationId' as id from queue.job j where j.name in ('preparation', 'decision')
      and not exists (select 1 from verifications v where v.id = j.data->>'verificationId')`,
    'a running verification without an attempt': sql`select v.id from verifications v where v.state = 'running' and not exists (
      select 1 from attempts a where a.verification_id = v.id)`,
    'a verification that is prepared without attempts, or not and has some': sql`select v.id from verifications v
      where (v.source_tar is not null) <> exists (select 1 from attempts a where a.verification_id = v.id)`,
    'committed attempts whose verification does not say so': sql`select v.id from verifications v where v.state = 'running'
      and not v.attempts_committed and v.attempts_wanted = (
        select count(*) from attempts a where a.verification_id = v.id and a.state = 'committed')`,
    'a leased attempt whose job nobody has': sql`select a.id from attempts a join queue.job j on j.id::text = a.id
      and j.name = 'attempt-' || a.route where a.state = 'leased' and j.state = 'created'`,
    'an ended try that is not written down': sql`select a.id from attempts a where a.tries - (a.state = 'leased')::int <> (
      select count(*) from attempt_tries t where t.attempt_id = a.id)`,
    'an open attempt of what has ended': sql`select a.id from attempts a join verifications v on v.id = a.verification_id
      where a.state <> 'committed' and v.state in ('finished', 'cancelled')`,
    'replays that were not opened': sql`select v.id from verifications v join attempts a on a.verification_id = v.id and a.number = 1
      where v.state = 'running' and v.lock is null and a.outcome in ('built', 'build-failed') and v.attempts_wanted <> (
        select count(*) from attempts o where o.verification_id = v.id)`,
    'claims to be shown whose digests are not found': sql`select v.id from verifications v where v.attempts_committed and v.state <> 'cancelled'
      and not exists (select 1 from subjects s where s.verification_id = v.id and s.kind = 'claim')`,
    'a statement to be signed without a job': sql`select b.verification_id as id from signing_backlog b where not exists (
      select 1 from queue.job j where j.name = 'signing' and j.data->>'verificationId' = b.verification_id)`,
    'a verdict whose statements are not planned': sql`select v.id from verifications v where v.verdict = 'reproduced' and not exists (
      select 1 from signing_backlog b where b.verification_id = v.id)`,
    'a verdict whose report is not kept': sql`select v.id from verifications v where v.state = 'finished' and not exists (
      select 1 from blob_references r where r.verification_id = v.id and r.sha256 = v.report)`,
  }
  const found: string[] = []
  for (const [what, query] of Object.entries(queries)) {
    const result: unknown = await database.drizzle.execute(query)
    const rows = (Array.isArray(result) ? result : (result as { rows: unknown[] }).rows) as { id: string }[]
    found.push(...rows.map(({ id }) => `${what}: ${id}`))
  }
  return found
}

/** What a coordinator and one worker do until nothing is left. */
async function drain(store: StoreRoom, ports: ServicePorts): Promise<void> {
  const worker = await addWorker(store, 'the last one', ports.now())
  await loseWorkers(store)
  for (let idle = 0; idle < 2; ) {
    await hurry(store)
    await giveUpAttempts(ports)
    const prepared = await prepareNext(ports, { refuse: false })
    const decided = await decideNext(ports, decisionOf())
    const leased = await leaseAny(ports, worker)
    idle = prepared || decided || leased !== undefined ? 0 : idle + 1
    if (leased === undefined) continue
    const said = { attemptId: leased.attempt.id, lease: leased.lease, worker: worker.id }
    await reportAttempt(ports, { ...said, report: reportOf(leased.attempt.number, 'built'), digest: digestOf(leased.lease) })
  }
}
