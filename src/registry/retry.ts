import { setTimeout as sleep } from 'node:timers/promises'

/** How often and how fast something is tried again; tests bring their own. */
export type Pace = {
  /** Tries of one request, the first included. */
  readonly tries: number
  /** Rejects with the signal's reason. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
  /** From 0 to 1. */
  readonly random: () => number
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export const PACE: Pace = {
  tries: 5,
  wait: async (ms, signal) => {
    await sleep(ms, undefined, { signal }).catch((error: unknown) => {
      signal.throwIfAborted()
      throw error
    })
  },
  random: Math.random,
  now: Date.now,
}

const FIRST_MS = 500
const MOST_MS = 15_000
/** Who asks for more patience than this gets to hear that somebody else has to try again. */
const MOST_PATIENCE_MS = 60_000

/** Milliseconds before try number `made + 1`: doubled each time, and up to twice that by chance, so that many do not come back at once. */
export function backoff(made: number, pace: Pick<Pace, 'random'>): number {
  return Math.min(FIRST_MS * 2 ** (made - 1), MOST_MS) * (1 + pace.random())
}

/** What Retry-After (RFC 9110 §10.2.3) asks for, in ms; null where it asks for nothing that can be read; `longer` than we wait. */
export function patience(
  retryAfter: string | undefined,
  pace: Pick<Pace, 'now'>,
): { readonly ms: number; readonly longer: boolean } | null {
  if (retryAfter === undefined || retryAfter.length > 64) return null
  const at = /^\d{1,9}$/.test(retryAfter) ? pace.now() + Number(retryAfter) * 1000 : Date.parse(retryAfter)
  if (Number.isNaN(at)) return null
  const ms = Math.max(0, at - pace.now())
  return { ms, longer: ms > MOST_PATIENCE_MS }
}
