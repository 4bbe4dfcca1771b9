import { spawn } from 'node:child_process'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ServicePorts } from '../src/app/service/accept-verification.ts'
import { giveUpAttempts } from '../src/app/service/give-up-attempts.ts'
import { reportAttempt } from '../src/app/service/report-attempt.ts'
import type { Verification } from '../src/app/store/records.ts'
import { StoreRoom } from '../src/store-room.ts'
import { Random } from '../verifier/compare/testing/random.ts'
import { halfStates } from './half-states.ts'
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
