import { structuredPatch } from 'diff'
import { latin1 } from '../../tar/bytes.ts'
import type { ExplainLimits } from '../limits.ts'
import { printableLatin1 } from './printable.ts'
import type { Inspection, Signal } from './signal.ts'
import { tokenSignals } from './tokens.ts'

/** A stop for inputs that the edit length does not bound well. */
const MAX_MILLISECONDS = 500
const CONTEXT = 3
/** Tab to carriage return, and escape: terminal colours stand in many a log. */
const ORDINARY = new Set([0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1b])

/** No NUL and few other control characters: what a reader would call text, in whatever encoding. */
export function isText(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 64 * 1024)
  if (bytes.includes(0)) return false
  let strange = 0
  for (const byte of head) if (byte === 0x7f || (byte < 0x20 && !ORDINARY.has(byte))) strange += 1
  return strange * 50 <= head.length
}

/** Two texts: a unified diff, and whether they are equal but for what a rule knows. Lines are diffed as bytes and escaped afterwards. */
export function inspectText(a: Uint8Array, b: Uint8Array, limits: ExplainLimits): Inspection {
  const [left, right] = [latin1(a), latin1(b)]
  const signals = sameLines(left, right) ? [lineOrder(left, right)] : tokenSignals(left, right)
  const { lines, omitted, note } = unifiedDiff(left, right, limits)
  return {
    detail: { format: 'text', diff: lines, diffOmitted: omitted, notes: note === null ? [] : [note], firstDifference: null },
    signals: signals ?? [],
    whole: signals !== null,
  }
}

function sameLines(left: string, right: string): boolean {
  if (left.length !== right.length) return false
  const sorted = (text: string): string => text.split('\n').toSorted().join('\n')
  return sorted(left) === sorted(right)
}

function lineOrder(left: string, right: string): Signal {
  const [a, b] = [left.split('\n'), right.split('\n')]
  const at = a.findIndex((line, index) => line !== b[index])
  return { id: 'line-order', evidence: `line ${at + 1}: ${printableLatin1(a[at] ?? '', 60)} → ${printableLatin1(b[at] ?? '', 60)}` }
}

function unifiedDiff(left: string, right: string, limits: ExplainLimits): { lines: string[] | null; omitted: number; note: string | null } {
  const patch = structuredPatch('', '', left, right, undefined, undefined, {
    context: CONTEXT,
    maxEditLength: limits.maxEditLength,
    timeout: MAX_MILLISECONDS,
  })
  if (patch === undefined) return { lines: null, omitted: 0, note: 'too different for a diff' }
  const lines: string[] = []
  let omitted = 0
  const push = (line: string): void => {
    if (lines.length < limits.maxDiffLines) lines.push(line)
    else omitted += 1
  }
  for (const hunk of patch.hunks) {
    push(`@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`)
    for (const line of hunk.lines) push(`${line.slice(0, 1)}${printableLatin1(line.slice(1), limits.maxLineLength)}`)
  }
  return { lines, omitted, note: null }
}
