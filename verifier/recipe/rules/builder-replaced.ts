import { against, assigned, type Rule } from '../rule.ts'
import { judgePath } from '../specifiers.ts'
import { parseBoolean, splitValue } from '../values.ts'

export const builderReplaced: Rule = {
  id: 'builder-replaced',
  severity: 'refuse',
  text: "ToolsTree= and ExtraSearchPaths= put programs of the recipe's in the place of the builder's, which are what a verdict names.",
  remedy: "Remove the setting and build with the builder's own tools.",
  *check(config) {
    for (const assignment of assigned(config, 'ToolsTree', 'ExtraSearchPaths')) {
      for (const value of splitValue('paths', assignment.value)) {
        // Since 26 a flag as well, which 25 takes for a path.
        const flag = value === 'default' ? true : parseBoolean(value)
        const ours =
          assignment.setting?.name === 'ToolsTree' && flag !== undefined && judgePath(config, assignment, value).kind !== 'folder'
        if (ours && flag === false) continue
        if (ours) yield against(assignment, "the builder's own tools are used instead of mkosi's tools tree", 'warn')
        else yield against(assignment, "programs take the place of the builder's")
      }
    }
  },
}
