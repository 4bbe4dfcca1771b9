import type { Severity } from '../../model/finding.ts'
import { recipeWith } from './recipe-of.ts'
import type { TreeFile } from './tree-of.ts'

export type RuleCase = {
  readonly name: string
  readonly files: Readonly<Record<string, TreeFile>>
  /** What the rule says at its gravest; null: nothing. */
  readonly says: Severity | null
  /** Where it says so, checked where it is given. */
  readonly at?: readonly [path: string | null, line: number | null]
}

/** The quiet recipe with more at its end. */
export function caseOf(name: string, more: string, says: Severity | null, files: Readonly<Record<string, TreeFile>> = {}): RuleCase {
  return { name, files: recipeWith(more, files), says }
}
