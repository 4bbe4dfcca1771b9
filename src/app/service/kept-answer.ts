export type KeptAnswerOptions<T> = {
  readonly read: () => Promise<T>
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** For how long an answer is given again. */
  readonly keepMs: number
  /** For how long an answer is waited for. */
  readonly patienceMs: number
}

/**
 * An answer for whoever asks often. Null where there is none in time, or it failed: whoever asks then is not kept waiting, and no second
 * question is put while the first hangs.
 */
export function keptAnswer<T>({ read, clock, keepMs, patienceMs }: KeptAnswerOptions<T>): () => Promise<T | null> {
  let kept: { readonly answer: T; readonly until: number } | undefined
  let asking: Promise<T | null> | undefined
  const ask = async (): Promise<T | null> => {
    try {
      const answer = await read()
      kept = { answer, until: clock() + keepMs }
      return answer
    } catch {
      return null
    } finally {
      asking = undefined
    }
  }
  return async () => {
    if (kept !== undefined && clock() < kept.until) return kept.answer
    asking ??= ask()
    return await withinPatience(asking, patienceMs)
  }
}

async function withinPatience<T>(answer: Promise<T>, ms: number): Promise<T | null> {
  const { promise, resolve } = Promise.withResolvers<null>()
  const timer = setTimeout(() => resolve(null), ms)
  try {
    return await Promise.race([answer, promise])
  } finally {
    clearTimeout(timer)
  }
}
