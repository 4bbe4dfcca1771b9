import type { AttemptEvent } from '../../../verifier/model/event.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { NoticeBoard } from '../store/notice-ports.ts'
import type { Verification } from '../store/records.ts'
import { EventFeed, type FeedPorts } from './event-feed.ts'
import { verificationUnknown } from './read-verifications.ts'

export type Followed =
  | { readonly kind: 'event'; readonly event: AttemptEvent }
  /** Nothing happened, and whoever follows is still listened to. */
  | { readonly kind: 'beat' }
  /** The last of all: the verification is finished or cancelled. */
  | { readonly kind: 'end'; readonly verification: Verification }

export type FollowOptions = {
  /** Number of the last event that is known already; 0 for all. */
  readonly after: number
  /** Of this attempt alone; null: of all. */
  readonly attempt: number | null
  readonly signal: AbortSignal
}

export type FollowersPorts = FeedPorts & {
  readonly notices: NoticeBoard
  /** How long nothing is said at most, ms. Missed notices are made up for as often. */
  readonly beatMs: number
  /** How many may follow at once. */
  readonly most: number
}

/** Everybody who follows a verification, in this process: one listener for all, and one read for all who follow the same. */
export class Followers implements AsyncDisposable {
  readonly #ports: FollowersPorts
  readonly #feeds = new Map<string, { readonly feed: EventFeed; followers: number }>()
  readonly #closing = new AbortController()
  readonly #held = new AsyncDisposableStack()
  #followers = 0

  private constructor(ports: FollowersPorts) {
    this.#ports = ports
  }

  static async open(ports: FollowersPorts): Promise<Followers> {
    const followers = new Followers(ports)
    try {
      await followers.#listen()
      return followers
    } catch (error) {
      await followers[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Ends what everybody follows, without an end: they come back, to this process or another. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#held.disposeAsync()
  }

  get count(): number {
    return this.#followers
  }

  /**
   * What happens from a place on, in batches, until the end, or until `signal` fires. Fails with `verification-unknown`, `event-unknown` or
   * `followers-limit`.
   */
  async follow(verificationId: string, { after, attempt, signal }: FollowOptions): Promise<AsyncIterable<readonly Followed[]>> {
    const { reads } = this.#ports
    if ((await reads.verifications.read(verificationId)) === undefined) throw verificationUnknown()
    if (after > 0) {
      const [known] = await reads.events.after(verificationId, after - 1, 1)
      if (known?.seq !== after) throw eventUnknown()
    }
    if (this.#followers >= this.#ports.most) throw tooMany()
    return this.#follow(verificationId, { after, attempt, signal: AbortSignal.any([signal, this.#closing.signal]) })
  }

  async *#follow(verificationId: string, { after, attempt, signal }: FollowOptions): AsyncGenerator<readonly Followed[]> {
    using joined = this.#join(verificationId)
    const { feed } = joined
    let place = after
    let beats = feed.beats
    while (!signal.aborted) {
      const { version } = feed
      const events = await feed.after(place)
      place = events.at(-1)?.seq ?? place
      const wanted = events.filter((event) => attempt === null || event.attempt === attempt)
      if (wanted.length > 0) yield wanted.map((event) => ({ kind: 'event', event }))
      if (events.length > 0 || version !== feed.version) continue
      if (feed.over !== null) {
        yield [{ kind: 'end', verification: feed.over }]
        return
      }
      await feed.changed(version, signal)
      if (beats !== feed.beats && version === feed.version && !signal.aborted) yield [{ kind: 'beat' }]
      beats = feed.beats
    }
  }

  #join(verificationId: string): Disposable & { readonly feed: EventFeed } {
    const open = this.#feeds.get(verificationId) ?? { feed: new EventFeed(this.#ports, verificationId), followers: 0 }
    // Whoever comes first has it looked at whether there is anything to wait for.
    if (open.followers === 0) open.feed.refresh('all')
    this.#feeds.set(verificationId, open)
    open.followers += 1
    this.#followers += 1
    return {
      feed: open.feed,
      [Symbol.dispose]: () => {
        open.followers -= 1
        this.#followers -= 1
        if (open.followers === 0) this.#feeds.delete(verificationId)
      },
    }
  }

  async #listen(): Promise<void> {
    const tell = (what: 'events' | 'all') => (about: string) => this.#feeds.get(about)?.feed.refresh(what)
    const onGap = (): void => {
      for (const { feed } of this.#feeds.values()) feed.refresh('all')
    }
    this.#held.use(await this.#ports.notices.listen('events', { onNotice: tell('events'), onGap }))
    this.#held.use(await this.#ports.notices.listen('verifications', { onNotice: tell('all'), onGap }))
    const timer = setInterval(() => {
      for (const { feed } of this.#feeds.values()) {
        feed.beat()
        feed.refresh('all')
      }
    }, this.#ports.beatMs)
    timer.unref()
    this.#held.defer(() => clearInterval(timer))
  }
}

export function eventUnknown(): Failure {
  return new Failure({
    code: 'event-unknown',
    message: 'the verification has no event of this number',
    hint: 'go on after the last event that came, or begin anew without its number',
  })
}

function tooMany(): Failure {
  return new Failure({
    code: 'followers-limit',
    message: 'too many follow events here already',
    hint: 'come back later, or read the verification now and then',
    retryable: true,
    data: { retryAfterSeconds: 30 },
  })
}
