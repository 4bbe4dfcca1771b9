/** Seconds; what waits for a connection waits no longer than this after the server is back. */
const LONGEST = 1

/**
 * How long the driver waits before it connects again, in seconds. `failures` are those of all connections of a pool since one succeeded: by
 * what postgres.js does by default, a pool that is cut off once waits up to twenty seconds. `chance`: from 0 to 1, so that many do not come
 * back at once.
 */
export function pauseBeforeConnecting(failures: number, chance: number = Math.random()): number {
  return (0.5 + chance / 2) * Math.min(3 ** failures / 100, LONGEST)
}
