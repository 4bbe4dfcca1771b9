import type { Assignment, RecipeConfig } from '../config.ts'
import { against, type Objection, type Rule } from '../rule.ts'
import { judgePath } from '../specifiers.ts'
import { pathsIn, splitTree, splitValue } from '../values.ts'

const REASONS: Readonly<Record<string, string>> = {
  absolute: 'a path begins at the root of the builder',
  outside: 'a path leaves the recipe',
  variable: "a path is expanded from the builder's environment",
  home: "a path begins at the builder's home",
  unclear: 'a path depends on a specifier whose value could lead anywhere',
  loop: 'a path goes round in links',
}

export const pathOutside: Rule = {
  id: 'path-outside',
  severity: 'refuse',
  text: 'A setting names a file that is not in the source: absolute, above the recipe, or expanded from the environment. What it yields depends on the machine, and copies the machine into the image.',
  remedy: "Put the file into the recipe's folder and name it by a relative path without $, ~ or links that leave the folder.",
  *check(config) {
    for (const assignment of config.assignments) {
      const { setting } = assignment
      if (setting === undefined) continue
      for (const path of pathsIn(setting.shape, assignment.value)) yield* objections(config, assignment, path)
      if (setting.shape === 'inside')
        for (const path of splitValue('inside', assignment.value))
          if (path.split('/').includes('..') || path.includes('%')) yield against(assignment, 'a path climbs out of the image')
      if (setting.shape === 'trees')
        for (const item of splitValue('trees', assignment.value))
          if (splitTree(item).target?.split('/').includes('..') === true)
            yield against(assignment, "a tree's target climbs out of the image")
    }
  },
}

function* objections(config: RecipeConfig, assignment: Assignment, path: string): Generator<Objection> {
  const verdict = judgePath(config, assignment, path)
  const reason = REASONS[verdict.kind]
  // A link that leads away is link-outside's.
  if (reason === undefined || verdict.links.length > 0) return
  const { concern } = assignment.setting ?? {}
  // Parsed and then not used by a build, or overridden on the command line.
  yield against(assignment, reason, concern === 'runtime' || concern === 'builder' ? 'warn' : 'refuse')
}
