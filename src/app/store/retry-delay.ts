/** What the queue waits before it gives a coordinator's own job out again, in seconds: `first` doubled with each try, a part of it chance. */
export const RETRY_DELAY = { first: 5, longest: 900 } as const

/** When a job that failed at its try number `tries` is given out again at the latest. */
export function retriedBy(now: Date, tries: number): Date {
  const seconds = Math.min(RETRY_DELAY.longest, RETRY_DELAY.first * 2 ** Math.min(tries, 16))
  return new Date(now.getTime() + seconds * 1000)
}
