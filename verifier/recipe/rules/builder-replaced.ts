import { against, assigned, type Rule } from '../rule.ts'
import { splitValue } from '../values.ts'

export const builderReplaced: Rule = {
  id: 'builder-replaced',
  severity: 'refuse',
  text: "ToolsTree= and ExtraSearchPaths= put programs of the recipe's in the place of the builder's, which are what a verdict names.",
  remedy: "Remove the setting and build with the builder's own tools.",
  *check(config) {
    for (const assignment of assigned(config, 'ToolsTree', 'ExtraSearchPaths')) {
      for (const value of splitValue('paths', assignment.value)) {
        const ours = assignment.setting?.name === 'ToolsTree' && value === 'default'
        if (ours) yield against(assignment, "the builder's own tools are used instead of mkosi's tools tree", 'warn')
        else yield against(assignment, "programs take the place of the builder's")
      }
    }
  },
}
