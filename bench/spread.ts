/** The number below which so large a part of all numbers is, by nearest rank; NaN of none. */
export function percentile(numbers: readonly number[], part: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

/** Least, median and p99, as a table of milliseconds has them. */
export function spread(times: readonly number[]): string {
  return [0, 0.5, 0.99].map((part) => percentile(times, part).toFixed(2).padStart(8)).join('')
}
