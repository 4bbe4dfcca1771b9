import { against, assigned, type Rule } from '../rule.ts'
import { judgePath } from '../specifiers.ts'
import { splitValue } from '../values.ts'

export const includeBuiltin: Rule = {
  id: 'include-builtin',
  severity: 'warn',
  text: 'The recipe includes a config that comes with mkosi. It is part of the builder, whose digest fixes it; another version of mkosi has another one.',
  remedy: "Write the file's path; a config of mkosi's own may stay.",
  *check(config) {
    for (const assignment of assigned(config, 'Include')) {
      for (const path of splitValue('paths', assignment.value)) {
        const { kind } = judgePath(config, assignment, path)
        if (kind === 'built-in') yield against(assignment, "a config of mkosi's own is included", 'info')
        else if (kind === 'missing') yield against(assignment, 'a config that is included is not in the source')
      }
    }
  },
}
