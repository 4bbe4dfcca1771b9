import { against, assigned, type Rule } from '../rule.ts'

export const mirrorIgnored: Rule = {
  id: 'mirror-ignored',
  severity: 'info',
  text: "The builder takes packages through its own proxy, from Debian's signed archives; which mirror stands behind it is the operator's choice. Mirror= pins neither security updates nor anything else for it.",
  remedy: 'Nothing has to change. The lock of a build pins every package.',
  *check(config) {
    for (const assignment of assigned(config, 'Mirror', 'ToolsTreeMirror'))
      if (assignment.value !== '') yield against(assignment, "the builder's own archives are used instead")
  },
}
