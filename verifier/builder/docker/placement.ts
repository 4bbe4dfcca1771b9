/**
 * CPUs for a build that is to see `wanted` of an engine's `cpus`, in cpuset notation: those that the fewest builds have, and of equals those
 * that come next after `turn`. `taken` are the cpusets of the builds under way, whoever runs them.
 */
export function placeOn(o: {
  readonly cpus: number
  readonly wanted: number
  readonly turn: number
  readonly taken: readonly string[]
}): string {
  const use = new Map<number, number>()
  for (const cpu of o.taken.flatMap((set) => set.split(',').map(Number))) use.set(cpu, (use.get(cpu) ?? 0) + 1)
  return Array.from({ length: o.cpus }, (_, index) => (o.turn + index) % o.cpus)
    .toSorted((a, b) => (use.get(a) ?? 0) - (use.get(b) ?? 0))
    .slice(0, o.wanted)
    .toSorted((a, b) => a - b)
    .join(',')
}
