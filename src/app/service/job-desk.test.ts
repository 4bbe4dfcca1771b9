import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { NoticeBoard } from '../store/notice-ports.ts'
import type { AttemptRoute } from '../store/records.ts'
import { type DeskOptions, JobDesk } from './job-desk.ts'
import { LEFT_TO_OTHERS, type LeasedAttempt } from './lease-attempt.ts'

const OURS: readonly AttemptRoute[] = ['amd64-trusted', 'amd64-stranger']
const THEIRS: readonly AttemptRoute[] = ['arm64-trusted']
const LONG = 60_000

/** A queue of names by route, and what was asked of it. */
class FakeQueue {
  readonly jobs: { readonly route: AttemptRoute; readonly name: string }[] = []
  readonly asked: string[] = []
  notice: (about: string) => void = () => {}
  gap: () => void = () => {}
  /** Who may not have a job. */
  readonly notFor = new Map<string, string>()
  /** Held, every take waits for it. */
  gate: Promise<void> = Promise.resolve()

  readonly take: DeskOptions['take'] = async ({ workerId, routes, signal }) => {
    this.asked.push(workerId)
    await this.gate
    signal.throwIfAborted()
    const at = this.jobs.findIndex(({ route, name }) => routes.includes(route) && this.notFor.get(name) !== workerId)
    const [job] = at < 0 ? [] : this.jobs.splice(at, 1)
    if (job !== undefined) return { lease: job.name } as LeasedAttempt
    return this.jobs.some(({ route }) => routes.includes(route)) ? LEFT_TO_OTHERS : undefined
  }

  readonly notices: NoticeBoard = {
    listen: async (channel, { onNotice, onGap }) => {
      if (channel !== 'jobs') throw new Error('another channel')
      this.notice = onNotice
      this.gap = onGap
      return { [Symbol.asyncDispose]: async () => {} }
    },
  }

  add(route: AttemptRoute, ...names: string[]): void {
    for (const name of names) {
      this.jobs.push({ route, name })
      this.notice(`attempt-${route}`)
    }
  }
}

const open = (queue: FakeQueue, lookEveryMs = LONG): Promise<JobDesk> =>
  JobDesk.open({ notices: queue.notices, take: queue.take, lookEveryMs })

function waiting(desk: JobDesk, workerId: string, o: { routes?: readonly AttemptRoute[]; signal?: AbortSignal; waitMs?: number } = {}) {
  const { routes = OURS, signal = new AbortController().signal, waitMs = LONG } = o
  return desk.wait({ workerId, routes, signal, waitMs }).then((leased) => leased?.lease)
}

/** Until everything that can go on by itself has. */
async function settle(): Promise<void> {
  for (let at = 0; at < 20; at += 1) await turn()
}

describe('workers that wait for attempts', () => {
  it('are served in the order in which they came, one notice one worker', async () => {
    const queue = new FakeQueue()
    await using desk = await open(queue)
    const all = ['one', 'two', 'three'].map((name) => waiting(desk, name))
    await settle()
    queue.asked.length = 0
    queue.add('amd64-trusted', 'first')
    expect(await all[0]).toBe('first')
    await settle()
    // The second looked whether there is more; the third did not.
    expect(queue.asked).toEqual(['one', 'two'])
    queue.add('amd64-stranger', 'second', 'third')
    expect(await Promise.all(all)).toEqual(['first', 'second', 'third'])
  })

  it('pass on what is for others, and look again when there is reason to', async () => {
    const queue = new FakeQueue()
    queue.notFor.set('first', 'one')
    await using desk = await open(queue)
    const all = ['one', 'two', 'three'].map((name) => waiting(desk, name))
    await settle()
    queue.asked.length = 0
    queue.add('amd64-trusted', 'first')
    expect(await all[1]).toBe('first')
    await settle()
    // The third looked whether there is more, and the first had its answer.
    expect(queue.asked).toEqual(['one', 'two', 'three'])
    queue.add('amd64-trusted', 'second', 'third')
    expect(await Promise.all([all[0], all[2]])).toEqual(['second', 'third'])
  })

  it('ask once and not all the time for what is for others', async () => {
    const queue = new FakeQueue()
    queue.notFor.set('first', 'one')
    await using desk = await open(queue)
    const one = waiting(desk, 'one')
    await settle()
    queue.asked.length = 0
    queue.add('amd64-trusted', 'first')
    await settle()
    expect(queue.asked).toEqual(['one'])
    queue.notFor.clear()
    queue.gap()
    expect(await one).toBe('first')
  })

  it('do not look again because another one comes', async () => {
    const queue = new FakeQueue()
    queue.notFor.set('first', 'one')
    queue.jobs.push({ route: 'amd64-trusted', name: 'first' })
    await using desk = await open(queue)
    const gone = new AbortController()
    const all = Array.from({ length: 10 }, () => waiting(desk, 'one', { signal: gone.signal }))
    await settle()
    // Each looked once, whenever it came.
    expect(queue.asked).toHaveLength(10)
    expect(await waiting(desk, 'two')).toBe('first')
    gone.abort()
    expect(await Promise.all(all)).toEqual(all.map(() => undefined))
  })

  it('wait so often under one name and no more: the first of them is told that there is nothing', async () => {
    const queue = new FakeQueue()
    await using desk = await open(queue)
    const crowd = Array.from({ length: 16 }, () => waiting(desk, 'one'))
    const two = waiting(desk, 'two')
    await settle()
    const late = waiting(desk, 'one')
    expect(await crowd[0]).toBeUndefined()
    queue.add('amd64-trusted', ...crowd.map((_, at) => `job ${at}`))
    // The last of the others is in line before the one that came late.
    queue.add('amd64-trusted', 'last')
    expect(await Promise.all([...crowd.slice(1), two, late])).toEqual([...crowd.map((_, at) => `job ${at}`), 'last'])
  })

  it('keep their place where nothing was found', async () => {
    const queue = new FakeQueue()
    await using desk = await open(queue)
    const all = ['one', 'two'].map((name) => waiting(desk, name))
    await settle()
    queue.notice('attempt-amd64-trusted')
    await settle()
    queue.add('amd64-trusted', 'first')
    expect(await all[0]).toBe('first')
    queue.add('amd64-trusted', 'second')
    expect(await all[1]).toBe('second')
  })

  it('get what was there before they came, and what is of their routes only', async () => {
    const queue = new FakeQueue()
    await using desk = await open(queue)
    queue.jobs.push({ route: 'amd64-trusted', name: 'old' })
    const theirs = waiting(desk, 'arm', { routes: THEIRS })
    expect(await waiting(desk, 'one')).toBe('old')
    queue.add('arm64-trusted', 'arm job')
    expect(await theirs).toBe('arm job')
  })

  it('hear of what came while they looked', async () => {
    const queue = new FakeQueue()
    await using desk = await open(queue)
    const { promise, resolve } = Promise.withResolvers<void>()
    queue.gate = promise
    const one = waiting(desk, 'one')
    await settle()
    // The take that runs may not see it any more.
    queue.notice('attempt-amd64-trusted')
    resolve()
    await settle()
    expect(queue.asked).toEqual(['one', 'one'])
    queue.add('amd64-trusted', 'late')
    expect(await one).toBe('late')
  })

  it('find what sends no notice, or whose notice was lost', async () => {
    const queue = new FakeQueue()
    await using desk = await open(queue, 1)
    queue.notice = () => {}
    const one = waiting(desk, 'one')
    await settle()
    queue.add('amd64-trusted', 'silent')
    expect(await one).toBe('silent')
  })

  it('look again when the connection was gone', async () => {
    const queue = new FakeQueue()
    await using desk = await open(queue)
    const one = waiting(desk, 'one')
    await settle()
    const { gap } = queue
    queue.jobs.push({ route: 'amd64-stranger', name: 'unheard' })
    gap()
    expect(await one).toBe('unheard')
  })

  it('take nothing once they went away, and leave it to the next', async () => {
    const queue = new FakeQueue()
    await using desk = await open(queue)
    const gone = new AbortController()
    const { promise, resolve } = Promise.withResolvers<void>()
    queue.gate = promise
    queue.jobs.push({ route: 'amd64-trusted', name: 'job' })
    const one = waiting(desk, 'one', { signal: gone.signal })
    const two = waiting(desk, 'two')
    await settle()
    gone.abort()
    resolve()
    expect(await one).toBeUndefined()
    expect(await two).toBe('job')
    const three = waiting(desk, 'three', { signal: gone.signal })
    expect(await three).toBeUndefined()
    expect(queue.asked).not.toContain('three')
  })

  it('are told that there is nothing after their time, or when the process ends', async () => {
    const queue = new FakeQueue()
    const desk = await open(queue)
    expect(await waiting(desk, 'one', { waitMs: 1 })).toBeUndefined()
    // Over while it was being served: it is not put back in line.
    const { promise, resolve } = Promise.withResolvers<void>()
    queue.gate = promise
    const two = waiting(desk, 'two', { waitMs: 1 })
    await settle()
    await new Promise((later) => setTimeout(later, 20))
    resolve()
    expect(await two).toBeUndefined()
    const three = waiting(desk, 'three')
    await settle()
    await desk[Symbol.asyncDispose]()
    expect(await three).toBeUndefined()
    expect(await waiting(desk, 'four')).toBeUndefined()
  })

  it('hear a failure, and the others wait on', async () => {
    const queue = new FakeQueue()
    let broken = false
    await using desk = await JobDesk.open({
      notices: queue.notices,
      lookEveryMs: LONG,
      take: async (o) => {
        if (!broken) return await queue.take(o)
        broken = false
        throw new Error('the database is gone')
      },
    })
    const one = waiting(desk, 'one')
    const two = waiting(desk, 'two')
    await settle()
    broken = true
    const failed = one.catch((error: unknown) => error)
    queue.notice('attempt-amd64-trusted')
    expect(await failed).toEqual(new Error('the database is gone'))
    queue.add('amd64-trusted', 'job')
    expect(await two).toBe('job')
  })
})
