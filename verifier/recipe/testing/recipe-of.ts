import type { Finding } from '../../model/finding.ts'
import { readRecipe } from '../read-recipe.ts'
import { type TreeFile, treeOf } from './tree-of.ts'

/** A recipe that no rule refuses or warns about. */
export const QUIET = `[Distribution]
Distribution=custom
Release=any
Architecture=x86-64

[Output]
Format=tar
Output=image

[Content]
SourceDateEpoch=1
`

/** The quiet recipe with more at its end, and files beside it. */
export function recipeWith(more: string, files: Readonly<Record<string, TreeFile>> = {}): Record<string, TreeFile> {
  return { 'mkosi.conf': `${QUIET}${more}`, ...files }
}

export function findingsOf(files: Readonly<Record<string, TreeFile>>, rule: string): Finding[] {
  return readRecipe(treeOf(files)).findings.filter((finding) => finding.rule === rule)
}

/** Rules with a finding of at least `warn`. */
export function troubles(files: Readonly<Record<string, TreeFile>>): string[] {
  const { findings } = readRecipe(treeOf(files))
  return [...new Set(findings.filter(({ severity }) => severity !== 'info').map(({ rule }) => rule))]
}
