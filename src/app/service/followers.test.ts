import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { AttemptEvent } from '../../../verifier/model/event.ts'
import type { Channel, NoticeBoard } from '../store/notice-ports.ts'
import type { Verification } from '../store/records.ts'
import { type Followed, Followers } from './followers.ts'

const ID = '0198c000-0000-7000-8000-000000000001'

/** Verifications whose events are lists, and a board that says what the test says. */
class Stage {
  readonly events = new Map<string, AttemptEvent[]>()
  readonly states = new Map<string, Verification['state']>()
  readonly reads: { readonly of: string; readonly after: number }[] = []
  readonly looks: string[] = []
  readonly troubles: unknown[] = []
  /** Held back while it is not null. */
  gate: Promise<void> | null = null
  readonly #listeners = new Map<Channel, { onNotice: (about: string) => void; onGap: () => void }>()
  listening = 0

  readonly notices: NoticeBoard = {
    listen: async (channel, listener) => {
      this.#listeners.set(channel, listener)
      this.listening += 1
      return { [Symbol.asyncDispose]: async () => void (this.listening -= 1) }
    },
  }

  open(o: { beatMs?: number; most?: number } = {}): Promise<Followers> {
    return Followers.open({
      notices: this.notices,
      beatMs: o.beatMs ?? 3_600_000,
      most: o.most ?? 2000,
      onTrouble: (error) => this.troubles.push(error),
      reads: {
        verifications: {
          read: async (id: string) => {
            this.looks.push(id)
            const state = this.states.get(id)
            return state === undefined ? undefined : ({ id, state } as Verification)
          },
        },
        events: {
          after: async (id: string, seq: number, limit: number) => {
            this.reads.push({ of: id, after: seq })
            const found = (this.events.get(id) ?? []).filter((event) => event.seq > seq).slice(0, limit)
            await this.gate
            return found
          },
        },
      } as never,
    })
  }

  say(lines: number, o: { id?: string; attempt?: number; silently?: boolean } = {}): void {
    const { id = ID, attempt = 1 } = o
    const events = this.events.get(id) ?? []
    for (let index = 0; index < lines; index += 1) {
      const seq = events.length + 1
      events.push({ seq, attempt, at: '2026-01-01T00:00:00.000Z', kind: 'log', line: `line ${seq}` })
    }
    this.events.set(id, events)
    if (o.silently !== true) this.#listeners.get('events')?.onNotice(id)
  }

  end(state: 'finished' | 'cancelled', o: { silently?: boolean } = {}): void {
    this.states.set(ID, state)
    if (o.silently !== true) this.#listeners.get('verifications')?.onNotice(ID)
  }

  gap(): void {
    for (const { onGap } of this.#listeners.values()) onGap()
  }
}

let stage: Stage
let stop: AbortController
beforeEach(() => {
  stage = new Stage()
  stage.states.set(ID, 'running')
  stop = new AbortController()
})
afterEach(() => stop.abort())

/** Reads on demand: `upTo(n)` waits until so many events came, `rest` until the end. */
class Reader {
  readonly seen: Followed[] = []
  readonly #iterator: AsyncIterator<readonly Followed[]>

  constructor(followed: AsyncIterable<readonly Followed[]>) {
    this.#iterator = followed[Symbol.asyncIterator]()
  }

  async next(): Promise<boolean> {
    const { done, value } = await this.#iterator.next()
    if (done === true) return false
    this.seen.push(...value)
    return true
  }

  async upTo(count: number): Promise<void> {
    while (this.seen.length < count && (await this.next()));
  }

  async rest(): Promise<void> {
    while (await this.next());
  }

  get numbers(): number[] {
    return this.seen.flatMap((one) => (one.kind === 'event' ? [one.event.seq] : []))
  }
}

const follow = async (followers: Followers, o: { after?: number; attempt?: number } = {}): Promise<Reader> =>
  new Reader(await followers.follow(ID, { after: o.after ?? 0, attempt: o.attempt ?? null, signal: stop.signal }))
const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1)

it('gives what was there, what comes, and the end with what became of it', async () => {
  await using followers = await stage.open()
  stage.say(3)
  const reader = await follow(followers)
  await reader.upTo(3)
  stage.say(2)
  await reader.upTo(5)
  stage.say(1, { silently: true })
  stage.end('finished')
  await reader.rest()
  expect(reader.numbers).toEqual(upTo(6))
  expect(reader.seen.at(-1)).toMatchObject({ kind: 'end', verification: { id: ID, state: 'finished' } })
  expect(followers.count).toBe(0)
})

it('hears everything where it came to its end while the first events were read', async () => {
  await using followers = await stage.open()
  stage.say(2)
  const [first, later] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  stage.gate = first.promise
  const reader = await follow(followers)
  const rest = reader.rest()
  while (stage.reads.length === 0) await setImmediate()
  stage.gate = later.promise
  stage.say(3)
  stage.end('finished')
  while (stage.looks.length < 3) await setImmediate()
  await setImmediate()
  first.resolve()
  for (let turn = 0; turn < 10; turn += 1) await setImmediate()
  later.resolve()
  await rest
  expect(reader.numbers).toEqual(upTo(5))
  expect(reader.seen.at(-1)).toMatchObject({ kind: 'end', verification: { state: 'finished' } })
})

it.each(['finished', 'cancelled'] as const)('ends at once where the verification is %s', async (state) => {
  await using followers = await stage.open()
  stage.say(1200, { silently: true })
  stage.end(state, { silently: true })
  const reader = await follow(followers, { after: 700 })
  await reader.rest()
  expect(reader.numbers).toEqual(upTo(1200).slice(700))
  expect(reader.seen.at(-1)).toMatchObject({ kind: 'end', verification: { state } })
})

it('gives one attempt where one is asked for, and the end all the same', async () => {
  await using followers = await stage.open()
  stage.say(2, { attempt: 1 })
  stage.say(2, { attempt: 2 })
  stage.end('cancelled')
  const reader = await follow(followers, { attempt: 2 })
  await reader.rest()
  expect(reader.numbers).toEqual([3, 4])
  expect(reader.seen.at(-1)?.kind).toBe('end')
})

it('goes on wherever somebody stopped, and nowhere else', async () => {
  await using followers = await stage.open()
  stage.say(5)
  const reader = await follow(followers, { after: 3 })
  await reader.upTo(2)
  expect(reader.numbers).toEqual([4, 5])
  await expect(follow(followers, { after: 6 })).rejects.toMatchObject({ code: 'event-unknown' })
  stage.states.clear()
  await expect(follow(followers)).rejects.toMatchObject({ code: 'verification-unknown' })
})

it('reads once for a thousand who follow the same', async () => {
  await using followers = await stage.open()
  stage.say(10)
  const readers = await Promise.all(Array.from({ length: 1000 }, () => follow(followers)))
  await Promise.all(readers.map((reader) => reader.upTo(10)))
  expect(followers.count).toBe(1000)
  for (let round = 1; round <= 5; round += 1) {
    stage.say(2)
    await Promise.all(readers.map((reader) => reader.upTo(10 + 2 * round)))
  }
  stage.end('finished')
  await Promise.all(readers.map((reader) => reader.rest()))
  for (const reader of readers) expect(reader.numbers).toEqual(upTo(20))
  // One to begin with and one after it, one a round and one at the end, and hardly more.
  expect(stage.reads.length).toBeLessThan(20)
  expect(stage.looks.length).toBeLessThan(1000 + 10)
  expect(followers.count).toBe(0)
})

it('lets nobody wait for whoever is slow', async () => {
  await using followers = await stage.open()
  stage.say(1)
  const [slow, quick] = [await follow(followers), await follow(followers)]
  await Promise.all([slow.upTo(1), quick.upTo(1)])
  stage.say(3000)
  await quick.upTo(3001)
  expect(slow.numbers).toEqual([1])
  stage.end('finished')
  await quick.rest()
  await slow.rest()
  expect(slow.numbers).toEqual(upTo(3001))
})

it('misses nothing that is said while it reads', async () => {
  await using followers = await stage.open()
  stage.say(2)
  let open = (): void => {}
  stage.gate = new Promise((resolve) => {
    open = resolve
  })
  const reader = await follow(followers)
  const first = reader.next()
  await Promise.resolve()
  // Said, and over, after the read under way had its answer.
  stage.say(2)
  stage.end('finished')
  stage.gate = null
  open()
  await first
  await reader.rest()
  expect(reader.numbers).toEqual(upTo(4))
})

it('looks again where a notice may have been lost, and at every beat', async () => {
  await using followers = await stage.open({ beatMs: 5 })
  stage.say(1)
  const reader = await follow(followers)
  await reader.upTo(1)
  stage.say(1, { silently: true })
  stage.gap()
  while (reader.numbers.length < 2) await reader.next()
  while (!reader.seen.some(({ kind }) => kind === 'beat')) await reader.next()
  stage.end('finished', { silently: true })
  await reader.rest()
  expect(reader.numbers).toEqual([1, 2])
  expect(reader.seen.at(-1)?.kind).toBe('end')
})

it('goes on after a read that failed, and says so', async () => {
  await using followers = await stage.open()
  stage.say(1)
  const reader = await follow(followers)
  await reader.upTo(1)
  const trouble = new Error('the database is away')
  stage.gate = Promise.reject(trouble)
  stage.gate.catch(() => {})
  stage.say(1)
  while (stage.troubles.length === 0) await setImmediate()
  expect(stage.troubles).toEqual([trouble])
  stage.gate = null
  stage.say(1)
  await reader.upTo(3)
  expect(reader.numbers).toEqual([1, 2, 3])
})

it('lets go of whoever goes, and of everybody when it closes', async () => {
  const followers = await stage.open({ most: 2 })
  expect(stage.listening).toBe(2)
  stage.say(1)
  const [one, other] = [await follow(followers), await follow(followers)]
  await Promise.all([one.upTo(1), other.upTo(1)])
  await expect(follow(followers)).rejects.toMatchObject({ code: 'followers-limit' })
  const waits = [one.rest(), other.rest()]
  await followers[Symbol.asyncDispose]()
  await Promise.all(waits)
  expect([one, other].map((reader) => reader.seen.length)).toEqual([1, 1])
  expect(followers.count).toBe(0)
  expect(stage.listening).toBe(0)
})
