/** How old and how far ahead of our clock a signature may be, in seconds. */
export const MAX_AGE = 300
export const MAX_AHEAD = 60

/** Of one key. A worker that uploads a thousand blobs a minute stays below. */
const MAX_NONCES = 16_384

type Remembered = {
  /** By the second that their signatures were made in. */
  readonly bySecond: Map<number, Set<string>>
  count: number
  /** Of this second and those before it something was forgotten. */
  forgotten: number
}

/**
 * Knows again what was sent before. It holds a bounded number of nonces for each key, and only as long as their signatures would be taken
 * at all; of what is older than it remembers, or than itself, it takes nothing. It is this process's alone: what one coordinator took,
 * another one on the same database would take once more within `MAX_AGE`.
 */
export class NonceMemory {
  readonly #keys = new Map<string, Remembered>()
  readonly #since: number
  readonly #most: number

  /** `since`: seconds of the epoch at which this process began to remember. */
  constructor({ since, most = MAX_NONCES }: { since: number; most?: number }) {
    this.#since = since
    this.#most = most
  }

  /** Notes a nonce of a signature that is valid. Times are seconds of the epoch. */
  take(o: { readonly key: string; readonly nonce: string; readonly created: number; readonly now: number }): 'new' | 'again' | 'too-old' {
    if (o.created < Math.max(this.#since, o.now - MAX_AGE)) return 'too-old'
    const held = this.#keys.get(o.key) ?? { bySecond: new Map<number, Set<string>>(), count: 0, forgotten: -1 }
    this.#keys.set(o.key, held)
    if (held.bySecond.get(o.created)?.has(o.nonce) === true) return 'again'
    if (o.created <= held.forgotten) return 'too-old'
    for (const second of held.bySecond.keys()) if (second < o.now - MAX_AGE) forget(held, second)
    if (held.count >= this.#most) held.forgotten = forget(held, Math.min(...held.bySecond.keys()))
    if (o.created <= held.forgotten) return 'too-old'
    held.bySecond.set(o.created, (held.bySecond.get(o.created) ?? new Set()).add(o.nonce))
    held.count += 1
    return 'new'
  }
}

function forget(held: Remembered, second: number): number {
  held.count -= held.bySecond.get(second)?.size ?? 0
  held.bySecond.delete(second)
  return second
}
