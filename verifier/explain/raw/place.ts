import type { ByteView } from '../byte-view.ts'
import type { Range } from '../inspect/byte-ranges.ts'
import type { RuleText } from '../rule.ts'

/** What lies at a differing range, and the rule that explains it wholly. */
export type Place = { readonly where: string; readonly rule: RuleText | null }

/** Two sides of one artifact, or of one partition of it, at the same offsets. */
export type Sides = { readonly left: ByteView; readonly right: ByteView }

/** Knows a format well enough to say what lies where. Ranges are relative to the view it was made for. */
export type Locator = (range: Range) => Promise<Place | null>

export type Field = { readonly name: string; readonly at: number; readonly size: number; readonly rule: RuleText | null }

/** The field of a structure that begins at `base` which holds the whole range. */
export function fieldAt(fields: readonly Field[], base: number, { offset, length }: Range): Field | null {
  return fields.find(({ at, size }) => offset >= base + at && offset + length <= base + at + size) ?? null
}
