/** So many at once, and so many a minute from then on. */
export type Rate = { readonly burst: number; readonly perMinute: number }

/** Of a token, or of a second: sums of parts are a little more or less than the whole. */
const ROUNDING = 1e-6

type Bucket = { tokens: number; at: number }

/** More than this many who ask at once would be an attack; the one who was away longest is forgotten, and begins with a full bucket. */
const MOST = 20_000

/** One token bucket for each of many, so that nobody's haste is anybody else's wait. */
export class TokenBuckets {
  readonly #rate: Rate
  readonly #now: () => Date
  /** The least recently used first. */
  readonly #buckets = new Map<string, Bucket>()

  constructor(rate: Rate, now: () => Date) {
    this.#rate = rate
    this.#now = now
  }

  /** Takes a token; gives 0, or the whole seconds after which there is one. */
  take(key: string): number {
    const at = this.#now().getTime()
    const before = this.#buckets.get(key) ?? { tokens: this.#rate.burst, at }
    // A clock that is set back gives nothing, and takes nothing.
    const gained = (Math.max(0, at - before.at) / 60_000) * this.#rate.perMinute
    const tokens = Math.min(this.#rate.burst, before.tokens + gained)
    const enough = tokens >= 1 - ROUNDING
    this.#buckets.delete(key)
    this.#buckets.set(key, { tokens: enough ? Math.max(0, tokens - 1) : tokens, at })
    this.#forget()
    return enough ? 0 : Math.max(1, Math.ceil(((1 - tokens) / this.#rate.perMinute) * 60 - ROUNDING))
  }

  #forget(): void {
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > MOST && oldest !== undefined) this.#buckets.delete(oldest)
  }
}
