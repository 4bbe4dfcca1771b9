import type { RecipeConfig } from './config.ts'
import { pythonLines, pythonStrip, universalNewlines } from './python-text.ts'
import { assigned } from './rule.ts'
import { judgePath } from './specifiers.ts'
import { pathsIn, shellWords } from './values.ts'

/** One variable that a recipe sets for mkosi's programs and scripts; a null value is taken from whoever runs mkosi. */
export type Variable = { readonly name: string; readonly value: string | null; readonly path: string; readonly line: number | null }

/** Variables of Environment=, of the files that EnvironmentFiles= names, and of mkosi.env. */
export function environmentOf(config: RecipeConfig): Variable[] {
  const variables: Variable[] = []
  const read = new Set<string>()
  for (const { value, file, line } of assigned(config, 'Environment'))
    for (const word of shellWords(value) ?? value.split(/[ \n]/)) variables.push({ ...variableOf(word), path: file, line })
  for (const assignment of assigned(config, 'EnvironmentFiles')) {
    for (const path of pathsIn('paths', assignment.value)) {
      const found = judgePath(config, assignment, path)
      if (found.kind !== 'file' || read.has(found.path)) continue
      read.add(found.path)
      const lines = pythonLines(universalNewlines(config.tree.text(found.path) ?? ''))
      for (const [index, line] of lines.entries())
        if (pythonStrip(line) !== '') variables.push({ ...variableOf(line), path: found.path, line: index + 1 })
    }
  }
  // A line that cannot name a variable (a comment, in such a file) finds nothing in any environment.
  return variables.filter((variable) => variable.value !== null || /^[A-Za-z_%][A-Za-z0-9_%]*$/.test(variable.name))
}

function variableOf(text: string): { name: string; value: string | null } {
  const at = text.indexOf('=')
  return at < 0
    ? { name: pythonStrip(text), value: null }
    : { name: pythonStrip(text.slice(0, at)), value: pythonStrip(text.slice(at + 1)) }
}
