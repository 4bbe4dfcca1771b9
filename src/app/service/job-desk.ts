import { setTimeout as sleep } from 'node:timers/promises'
import type { NoticeBoard } from '../store/notice-ports.ts'
import { ATTEMPT_ROUTES, type AttemptRoute } from '../store/records.ts'
import { LEFT_TO_OTHERS, type LeaseAnswer, type LeasedAttempt } from './lease-attempt.ts'

export type DeskOptions = {
  readonly notices: NoticeBoard
  /** Takes the next attempt of these routes for a worker, or none. What the signal ends is undone, or never done. */
  readonly take: (o: { workerId: string; routes: readonly AttemptRoute[]; signal: AbortSignal }) => Promise<LeaseAnswer>
  /** How often somebody looks although nothing was heard: jobs that wait for their time send no notice when it comes; ms. */
  readonly lookEveryMs?: number
}

export type Waiting = {
  readonly workerId: string
  readonly routes: readonly AttemptRoute[]
  readonly waitMs: number
  /** Aborts when whoever waits has gone away. */
  readonly signal: AbortSignal
}

type Waiter = Omit<Waiting, 'waitMs'> & {
  /** Place in the line. */
  readonly turn: number
  readonly done: (leased: LeasedAttempt | undefined) => void
  /** Ends its wait, unless it is being served. */
  readonly leave: () => void
  readonly fail: (error: unknown) => void
  /** Its time is over. */
  left: boolean
  /** At which look it found a route to have something for others only. */
  readonly passed: Map<AttemptRoute, number>
}

const LOOK_EVERY_MS = 3000
/** Claims of one worker that wait: it has one at a time, and some more after its connection broke off again and again. */
const MOST_OF_ONE = 16
/** Transactions that take jobs side by side, so that a crowd of workers leaves the database room for everything else. */
const HANDS = 4

/**
 * Where workers wait for attempts. Who came first is served first, one notice wakes one worker and not all of them, and one look for all
 * is taken now and then, however many wait. Every process that workers claim at has one.
 */
export class JobDesk implements AsyncDisposable {
  readonly #o: DeskOptions
  /** Who came first is first; who is being served is not among them. */
  readonly #line: Waiter[] = []
  #turn = 0
  /** Routes that may have something. */
  readonly #open = new Set<AttemptRoute>()
  /** How often somebody had reason to look at a route. */
  readonly #looks = new Map<AttemptRoute, number>()
  readonly #serving = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  #listening: AsyncDisposable | undefined
  #looking: Promise<void> | undefined

  private constructor(o: DeskOptions) {
    this.#o = o
  }

  static async open(o: DeskOptions): Promise<JobDesk> {
    const desk = new JobDesk(o)
    const all = (): void => desk.#look(ATTEMPT_ROUTES)
    desk.#listening = await o.notices.listen('jobs', {
      onNotice: (queue) => desk.#look(ATTEMPT_ROUTES.filter((route) => queue === `attempt-${route}`)),
      onGap: all,
    })
    desk.#looking = desk.#lookNowAndThen(o.lookEveryMs ?? LOOK_EVERY_MS, all)
    return desk
  }

  /** The next attempt; undefined where there was none for as long as was waited, or whoever waited went away. */
  async wait({ waitMs, ...o }: Waiting): Promise<LeasedAttempt | undefined> {
    if (o.signal.aborted || this.#stop.signal.aborted) return undefined
    const { promise, resolve: done, reject: fail } = Promise.withResolvers<LeasedAttempt | undefined>()
    const leave = (): void => {
      waiter.left = true
      const at = this.#line.indexOf(waiter)
      // Who is being served gets to know what comes of it.
      if (at < 0) return
      this.#line.splice(at, 1)
      done(undefined)
    }
    const waiter: Waiter = { ...o, turn: this.#turn++, done, leave, fail, left: false, passed: new Map() }
    const own = this.#line.filter(({ workerId }) => workerId === o.workerId)
    if (own.length >= MOST_OF_ONE) own[0]?.leave()
    this.#line.push(waiter)
    const late = setTimeout(leave, waitMs)
    o.signal.addEventListener('abort', leave)
    // For itself: who looked in vain before has no reason to look again.
    for (const route of o.routes) this.#open.add(route)
    this.#serve()
    try {
      return await promise
    } finally {
      clearTimeout(late)
      o.signal.removeEventListener('abort', leave)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#listening?.[Symbol.asyncDispose]()
    for (const waiter of this.#line.splice(0)) waiter.done(undefined)
    await Promise.all([...this.#serving, this.#looking])
  }

  #look(routes: readonly AttemptRoute[]): void {
    for (const route of routes) {
      this.#open.add(route)
      this.#looks.set(route, this.#lookAt(route) + 1)
    }
    this.#serve()
  }

  #lookAt(route: AttemptRoute): number {
    return this.#looks.get(route) ?? 0
  }

  #wanted({ routes, passed }: Waiter): readonly AttemptRoute[] {
    return routes.filter((route) => this.#open.has(route) && passed.get(route) !== this.#lookAt(route))
  }

  #serve(): void {
    while (this.#serving.size < HANDS) {
      const at = this.#line.findIndex((waiter) => this.#wanted(waiter).length > 0)
      const [waiter] = at < 0 ? [] : this.#line.splice(at, 1)
      if (waiter === undefined) {
        // Whoever comes next looks for itself.
        if (this.#serving.size === 0) this.#open.clear()
        return
      }
      const serving = this.#serveOne(waiter).finally(() => {
        this.#serving.delete(serving)
        this.#serve()
      })
      this.#serving.add(serving)
    }
  }

  async #serveOne(waiter: Waiter): Promise<void> {
    const wanted = this.#wanted(waiter)
    // By turns, so that who is on one route does not wait until the other is empty.
    const routes = waiter.turn % 2 === 0 ? wanted : wanted.toReversed()
    // A notice that comes from now on opens them again.
    for (const route of routes) this.#open.delete(route)
    const looks = routes.map((route) => [route, this.#lookAt(route)] as const)
    const signal = AbortSignal.any([waiter.signal, this.#stop.signal])
    try {
      const leased = await this.#o.take({ workerId: waiter.workerId, routes, signal })
      // There may be more, others may have it, and if the one who got this is gone, it is there again.
      if (leased !== undefined) for (const route of routes) this.#open.add(route)
      const nothing = leased === undefined || leased === LEFT_TO_OTHERS
      if (leased === LEFT_TO_OTHERS) for (const [route, look] of looks) waiter.passed.set(route, look)
      if (nothing && !waiter.left && !signal.aborted) this.#backInLine(waiter)
      else waiter.done(nothing ? undefined : leased)
    } catch (error) {
      if (signal.aborted) waiter.done(undefined)
      else waiter.fail(error)
    }
  }

  #backInLine(waiter: Waiter): void {
    const at = this.#line.findIndex(({ turn }) => turn > waiter.turn)
    this.#line.splice(at < 0 ? this.#line.length : at, 0, waiter)
  }

  async #lookNowAndThen(everyMs: number, look: () => void): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await sleep(everyMs, undefined, { signal }).catch(() => {})
      if (this.#line.length > 0) look()
    }
  }
}
