import type { TortureResult } from './torture.ts'

/** What is said at the end, a few lines. */
export function summary({ submitted, kills, troubles, wrong, seconds }: TortureResult): readonly string[] {
  const slowest = submitted.toSorted((a, b) => b.ms - a.ms)[0]
  const of = (counts: ReadonlyMap<string, number>): string =>
    [...counts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')
  return [
    `kills     ${kills.length}: ${of(counted(kills.map(({ victim }) => victim)))}`,
    `jobs      ${submitted.length}: ${of(counted(submitted.map(({ end }) => end?.verdict ?? end?.state ?? 'not over')))}`,
    `told      ${of(troubles)}`,
    `time      ${seconds} s, the slowest job ${Math.round((slowest?.ms ?? 0) / 1000)} s (number ${slowest?.planned.number}, ${slowest?.planned.character})`,
    `wrong     ${wrong.length}`,
    ...wrong.map((one) => `  ${one}`),
  ]
}

function counted(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
