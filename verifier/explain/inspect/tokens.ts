import { printableLatin1 } from './printable.ts'
import type { Signal, SignalId } from './signal.ts'

type Kind = { readonly id: SignalId; readonly pattern: RegExp; readonly replace: (found: string) => string }

const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}'
const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}'
const CLOCK = '\\d{1,2}:\\d{2}(?::\\d{2}(?:\\.\\d{1,9})?)?(?: ?(?:AM|PM))?'
const ZONE = '(?: ?(?:UTC|GMT|CEST|CET|[A-Z]{3,4}|Z|[+-]\\d{2}:?\\d{2}))?'
const DATE = [
  `\\d{4}[-/]\\d{2}[-/]\\d{2}(?:[T _-]{1,2}${CLOCK}${ZONE})?`,
  `(?:${DAY},? )?\\d{1,2}[ -]${MONTH}[ -]\\d{4}(?:,? ${CLOCK}${ZONE})?`,
  `(?:${DAY},? )?${MONTH} {1,2}\\d{1,2},?(?: ${CLOCK}${ZONE})?(?: \\d{4}(?: ${CLOCK}${ZONE})?)?`,
  '\\b20\\d{6}(?:[T-]?\\d{4,6}Z?)?\\b',
  // Seconds since the epoch, 2008 to 2065.
  '\\b(?:1[2-9]|2\\d)\\d{8}(?:\\.\\d{1,9})?\\b',
  `\\b${CLOCK}${ZONE}`,
].join('|')

/** What a build writes that another build writes differently. An earlier kind takes its text before a later one sees it. */
const KINDS: readonly Kind[] = [
  {
    id: 'build-path',
    pattern: /(?<![\w.-])\/(?:tmp|var\/tmp|work|build|builds|buildroot|root|home|workspace|src|mnt|run\/user)\/[\w.+~@%,=/-]{1,1000}/g,
    replace: () => '<path>',
  },
  {
    id: 'id',
    pattern:
      /(?<![0-9A-Za-z])(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{12,1000}|[0-9A-F]{12,1000})(?![0-9A-Za-z])/g,
    // Identifiers of one kind have one length; digits alone are no identifier.
    replace: (found) => (/[a-fA-F]/.test(found) ? `<id:${found.length}>` : found),
  },
  { id: 'date', pattern: new RegExp(DATE, 'g'), replace: () => '<date>' },
  { id: 'cpu-count', pattern: /\b(?:nproc|jobs|parallel|threads|cpus?|-j)[ =:]{0,3}\d{1,4}\b/gi, replace: () => '<cpus>' },
  { id: 'process-id', pattern: /\[\d{1,7}\]|\bpid[ =:]{0,3}\d{1,7}\b|\bGNUSparseFile\.\d{1,7}\b/gi, replace: () => '<pid>' },
]

/**
 * Whether two texts (one character a byte) are one and the same but for times, identifiers, build paths and the like, and for which of
 * these; null where more differs.
 */
export function tokenSignals(left: string, right: string): Signal[] | null {
  const normal = (text: string, kinds: readonly Kind[]): string =>
    kinds.reduce((before, { pattern, replace }) => before.replace(pattern, replace), text)
  if (normal(left, KINDS) !== normal(right, KINDS)) return null
  const needed = KINDS.filter((kind) => {
    const others = KINDS.filter((other) => other !== kind)
    return normal(left, others) !== normal(right, others)
  })
  // Each of several may suffice alone: the first one that does is named.
  const found = needed.length > 0 ? needed : KINDS.filter((kind) => normal(left, [kind]) === normal(right, [kind])).slice(0, 1)
  return found.map((kind) => ({ id: kind.id, evidence: sampleOf(kind, left, right) }))
}

function sampleOf(kind: Kind, left: string, right: string): string {
  const pairs = [left.matchAll(kind.pattern), right.matchAll(kind.pattern)] as const
  for (;;) {
    const [a, b] = [pairs[0].next(), pairs[1].next()]
    if (a.done === true || b.done === true) return ''
    if (a.value[0] !== b.value[0]) return `${printableLatin1(a.value[0], 80)} → ${printableLatin1(b.value[0], 80)}`
  }
}
