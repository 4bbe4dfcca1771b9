import { latin1 } from '../../tar/bytes.ts'
import type { ExplainLimits } from '../limits.ts'
import { differingRanges, firstDifference, type Range } from './byte-ranges.ts'
import type { Inspection, Signal } from './signal.ts'
import { tokenSignals } from './tokens.ts'

const WINDOW = 16
const MAX_RANGES = 500
/** How far text is followed to both sides of a difference. */
const MAX_RUN = 200

/** Two files of no known format: where they begin to differ, and whether only times, identifiers or paths inside differ. */
export function inspectBinary(a: Uint8Array, b: Uint8Array, limits: ExplainLimits): Inspection {
  const notes = [a.length === b.length ? `${a.length} bytes` : `${a.length} → ${b.length} bytes`]
  const ranges = a.length === b.length ? differingRanges(a, b, { gap: 8, max: MAX_RANGES }) : null
  if (ranges !== null) notes.push(`${ranges.length} differing ${ranges.length === 1 ? 'stretch' : 'stretches'}`)
  const signals = ranges !== null ? runSignals(a, b, ranges) : a.length !== b.length ? wholeSignals(a, b, limits) : null
  return {
    detail: { format: 'binary', diff: null, diffOmitted: 0, notes, firstDifference: firstWindow(a, b) },
    signals: signals ?? [],
    whole: signals !== null,
  }
}

/** The first difference with some bytes from there on; where one file begins with the other, its end. */
export function firstWindow(a: Uint8Array, b: Uint8Array): { offset: number; left: string; right: string } {
  const found = firstDifference(a, b)
  const offset = found === -1 ? Math.min(a.length, b.length) : found
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(offset, offset + WINDOW)).toString('hex')
  return { offset, left: hex(a), right: hex(b) }
}

/** Judges the printable text around every difference; null unless all of it is explained. */
function runSignals(a: Uint8Array, b: Uint8Array, ranges: readonly Range[]): Signal[] | null {
  const found = new Map<string, Signal>()
  for (const range of ranges) {
    const signals = tokenSignals(runAround(a, range), runAround(b, range))
    if (signals === null || signals.length === 0) return null
    for (const signal of signals) if (!found.has(signal.id)) found.set(signal.id, signal)
  }
  return [...found.values()]
}

function runAround(bytes: Uint8Array, { offset, length }: Range): string {
  const printable = (at: number): boolean => {
    const byte = bytes[at] ?? 0
    return byte >= 0x20 && byte < 0x7f
  }
  let from = offset
  while (from > 0 && offset - from < MAX_RUN && printable(from - 1)) from -= 1
  let to = offset + length
  while (to < bytes.length && to - offset - length < MAX_RUN && printable(to)) to += 1
  return latin1(bytes.subarray(from, to))
}

function wholeSignals(a: Uint8Array, b: Uint8Array, limits: ExplainLimits): Signal[] | null {
  if (Math.max(a.length, b.length) > limits.maxTextSize) return null
  const signals = tokenSignals(latin1(a), latin1(b))
  return signals === null || signals.length === 0 ? null : signals
}
