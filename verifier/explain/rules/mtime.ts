import type { PathRule } from '../rule.ts'

export const mtime = {
  id: 'mtime',
  severity: 'warn',
  samples: 'path',
  text: 'Times of files differ.',
  remedy: 'Set SourceDateEpoch= in [Content]: without it every time of the build stays in the image.',
  explain: ({ aspects, left, right }) =>
    aspects.has('mtime') ? { aspects: ['mtime'], evidence: `${timeText(left?.mtime)} → ${timeText(right?.mtime)}` } : null,
} satisfies PathRule

/** ISO 8601 in UTC, or the number where no calendar has it. */
function timeText(mtime: string | undefined): string {
  const date = new Date(Number(mtime) * 1000)
  return Number.isNaN(date.getTime()) ? String(mtime) : date.toISOString().replace(/\.?0*Z$/, 'Z')
}
