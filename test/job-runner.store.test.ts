import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acceptVerification } from '../src/app/service/accept-verification.ts'
import { JobLost } from '../src/app/service/held-job.ts'
import { JOB_TIMING, type JobPorts, type JobTrades, runJobs } from '../src/app/service/job-runner.ts'
import type { Owner } from '../src/app/store/records.ts'
import { StoreRoom } from '../src/store-room.ts'
import { Failure } from '../verifier/model/failure.ts'
import { IDLE_TRADES, noting } from './noting-runner.ts'
import { hurry, loseWorkers, takeBack } from './queued.ts'
import { root } from './repository.ts'
import { addOwner, Clock, commandOf, portsOf, submissionOf } from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

type Trouble = Parameters<JobPorts['events']['jobFailed']>[0]

const QUICK = { ...JOB_TIMING, pollMs: 50, touchMs: 20 }
const PHASES = ['taken', 'worked', 'writing', 'written'] as const

describe.each(databases())('the jobs of coordinators on %s', (kind) => {
  const clock = new Clock()
  let place: EmptyDatabase
  let store: StoreRoom
  let owner: Owner

  beforeAll(async () => {
    place = await emptyDatabase(kind)
    store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    owner = await addOwner(store, 'alice', clock.now())
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  let made = 0
  const accept = async (): Promise<string> => {
    made += 1
    const source = { kind: 'git', url: `https://git.example/${made}`, commit: 'c'.repeat(40), path: '.' } as const
    return (await acceptVerification(portsOf(store, clock), commandOf(submissionOf(owner.id, { source })))).verificationId
  }
  const notesOf = async (id: string): Promise<number> => (await store.reads.events.after(id, 0, 10)).length

  it('are each done once by two coordinators, as many at a time as may be', async () => {
    await using other = kind === 'pglite' ? null : await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    const ids: string[] = []
    for (let count = 0; count < 12; count += 1) ids.push(await accept())
    let [atOnce, most, left] = [0, 0, ids.length]
    const runner = running(
      () => ({
        preparation: {
          atOnce: 2,
          work: async ({ data }) => {
            atOnce += 1
            most = Math.max(most, atOnce)
            await new Promise(setImmediate)
            atOnce -= 1
            return { end: 'done', write: noting(data.verificationId) }
          },
        },
      }),
      () => (left -= 1) === 0,
    )
    await Promise.all([store, other ?? store].map(runner))
    expect(await Promise.all(ids.map(notesOf))).toEqual(ids.map(() => 1))
    expect(most).toBeLessThanOrEqual(4)
    expect(await openJobs(store)).toBe(0)
  })

  it('are begun when they are told of, and not when the queue is looked into next', async () => {
    const runner = running(
      () => ({ preparation: { atOnce: 1, work: async ({ data }) => ({ end: 'done', write: noting(data.verificationId) }) } }),
      () => true,
      { ...QUICK, pollMs: 3_600_000 },
    )
    const done = runner(store)
    const id = await accept()
    await done
    expect(await notesOf(id)).toBe(1)
  })

  it('are given up by who lost them, before the other’s result and with nothing of its own', async () => {
    const id = await accept()
    let tries = 0
    let reason: unknown
    const given = Promise.withResolvers<void>()
    const runner = running(
      () => ({
        preparation: {
          atOnce: 2,
          work: async (job, signal) => {
            tries += 1
            if (tries > 1) {
              await given.promise
              return { end: 'done', write: noting(job.data.verificationId) }
            }
            await takeBack(store)
            await once(signal, 'abort')
            reason = signal.reason
            given.resolve()
            return { end: 'done', write: noting(job.data.verificationId) }
          },
        },
      }),
      () => true,
    )
    await runner(store)
    expect(reason).toBeInstanceOf(JobLost)
    expect([tries, await notesOf(id)]).toEqual([2, 1])
  })

  it('leave no result of who lost them in the moment of writing it', async () => {
    const id = await accept()
    let tries = 0
    const runner = running(
      () => ({
        preparation: {
          atOnce: 1,
          work: async ({ data }) => {
            tries += 1
            if (tries === 1) await takeBack(store)
            return { end: 'done', write: noting(data.verificationId) }
          },
        },
      }),
      () => true,
      // Nobody hears of the loss before the result is written.
      { ...QUICK, touchMs: 3_600_000 },
    )
    await runner(store)
    expect([tries, await notesOf(id)]).toEqual([2, 1])
  })

  it('are done again after what was not foreseen, which is told with an id', async () => {
    const id = await accept()
    const troubles: Trouble[] = []
    const failures = [new TypeError('a defect'), new Failure({ code: 'disk-full', message: 'm', hint: 'h', audience: 'operator' })]
    const runner = running(
      () => ({
        preparation: {
          atOnce: 1,
          work: async ({ data }) => {
            await hurry(store)
            const failure = failures.shift()
            if (failure instanceof TypeError) throw failure
            return {
              end: 'done',
              write: async (unit) => {
                await noting(data.verificationId)(unit)
                if (failure !== undefined) throw failure
              },
            }
          },
        },
      }),
      () => true,
      QUICK,
      troubles,
    )
    const hurrying = setInterval(() => void hurry(store), 20)
    await runner(store)
    clearInterval(hurrying)
    expect(await notesOf(id)).toBe(1)
    expect(troubles).toMatchObject([
      { kind: 'preparation', tries: 1, error: expect.any(TypeError), job: expect.any(String), nextAt: expect.any(Date) },
      { kind: 'preparation', tries: 2, error: { code: 'disk-full' } },
    ])
  })

  it('begin anew at their time with what they know', async () => {
    const id = await accept()
    const times: (Date | null)[] = [new Date(Date.now() - 1000), null]
    const seen: number[] = []
    const runner = running(
      () => ({
        preparation: {
          atOnce: 1,
          work: async ({ data, tries }) => {
            seen.push(tries)
            const at = times.shift() ?? null
            const write = noting(data.verificationId)
            return at === null ? { end: 'done', write } : { end: 'again', write, next: { at, data } }
          },
        },
      }),
      () => seen.length === 2,
    )
    await runner(store)
    expect([seen, await notesOf(id)]).toEqual([[1, 1], 2])
    expect(await openJobs(store)).toBe(0)
  })

  it('are ended, or given back, before a coordinator is gone', async () => {
    const [first, second] = [await accept(), await accept()]
    const stop = new AbortController()
    const troubles: Trouble[] = []
    await runJobs(
      portsWith(store, store.unitOfWork, troubles),
      {
        ...IDLE_TRADES,
        preparation: {
          atOnce: 2,
          work: async ({ data }, signal) => {
            if (data.verificationId === second) {
              stop.abort()
              await once(signal, 'abort')
              throw signal.reason
            }
            return { end: 'done', write: noting(data.verificationId) }
          },
        },
      },
      stop.signal,
      { ...QUICK, drainMs: 50 },
    )
    expect([await notesOf(first), await notesOf(second), await openJobs(store), troubles]).toEqual([1, 0, 1, []])
    await hurry(store)
    await running(
      () => ({ preparation: { atOnce: 1, work: async ({ data }) => ({ end: 'done', write: noting(data.verificationId) }) } }),
      () => true,
    )(store)
    expect(await notesOf(second)).toBe(1)
  })
})

describe.each(databases())('a coordinator killed on %s', (kind) => {
  it.each(PHASES)('when its job was %s leaves it to the next, who does it once', { timeout: 60_000 }, async (phase) => {
    await using place = await emptyDatabase(kind)
    const id = await prepared(place)
    expect(await killed(place, phase)).toBe('SIGKILL')
    await using store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    expect((await store.reads.events.after(id, 0, 10)).length).toBe(phase === 'written' ? 1 : 0)
    await loseWorkers(store)
    await hurry(store)
    if (phase !== 'written')
      await running(
        () => ({ preparation: { atOnce: 1, work: async ({ data }) => ({ end: 'done', write: noting(data.verificationId) }) } }),
        () => true,
      )(store)
    expect((await store.reads.events.after(id, 0, 10)).length).toBe(1)
    expect(await openJobs(store)).toBe(0)
  })
})

/** Runs until something is written after which `until` holds. */
function running(
  trades: () => Partial<JobTrades>,
  until: () => boolean,
  timing = QUICK,
  troubles: Trouble[] = [],
): (store: StoreRoom) => Promise<void> {
  const stop = new AbortController()
  return async (store) => {
    const watched: StoreRoom['unitOfWork'] = {
      run: async (work) => {
        let wrote = false
        const result = await store.unitOfWork.run(async (unit) => {
          const append: typeof unit.events.append = (...said) => {
            wrote = true
            return unit.events.append(...said)
          }
          return await work({ ...unit, events: { ...unit.events, append } })
        })
        if (wrote && until()) stop.abort()
        return result
      },
    }
    await runJobs(portsWith(store, watched, troubles), { ...IDLE_TRADES, ...trades() }, stop.signal, timing)
  }
}

function portsWith({ notices }: StoreRoom, unitOfWork: StoreRoom['unitOfWork'], troubles: Trouble[]): JobPorts {
  const events: JobPorts['events'] = {
    jobFailed: (facts) => troubles.push(facts),
    trouble: ({ error }) => {
      throw error
    },
  }
  return { unitOfWork, notices, now: () => new Date(), events }
}

async function openJobs({ database }: StoreRoom): Promise<number> {
  const found: unknown = await database.drizzle.execute(
    sql`select count(*)::int as open from queue.job where name = 'preparation' and state in ('created', 'retry', 'active')`,
  )
  const rows = (Array.isArray(found) ? found : (found as { rows: unknown[] }).rows) as { open: number }[]
  return rows[0]?.open ?? Number.NaN
}

/** A database with one accepted verification. */
async function prepared(place: EmptyDatabase): Promise<string> {
  const clock = new Clock()
  await using store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
  const owner = await addOwner(store, 'alice', clock.now())
  return (await acceptVerification(portsOf(store, clock), commandOf(submissionOf(owner.id)))).verificationId
}

async function killed(place: EmptyDatabase, phase: string): Promise<NodeJS.Signals | null> {
  const args = [path.join(root, 'test/runner-child.ts'), place.url?.reveal() ?? '', place.folder, phase]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return signal
}
